import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { app, shell } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, tryKubectl } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { portForward } from "./support/port-forward.ts";
import { recordOf } from "./support/sidecar.ts";
import { targetIn } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-kubectl", ENABLED);
targetIn(namespace);

before(async () => {
  if (skip) return;
  const hello = shell("app", "echo hello; trap exit TERM; sleep infinity & wait");
  const spec = { containers: [hello, app("web", "target-main")] };
  await apply(namespace, pod("app", spec, INJECTED));
  await waitFor(namespace, "pod/app", "condition=Ready");
});

test("kubectl logs shows the app's, without being told which container", { skip }, async () => {
  assert.equal(await kubectl("logs", "app", "--namespace", namespace), "hello\n");
});

test("kubectl exec runs in the app, with input, output and exit status, and through the sidecar", {
  skip,
}, async () => {
  const exec = ["exec", "app", "--namespace", namespace, "--stdin", "--"];
  const { status, stdout } = await tryKubectl([...exec, "sh", "-c", "tr a-z A-Z; exit 7"], {
    input: "echo\n",
  });
  assert.deepEqual([status, stdout], [7, "ECHO\n"]);

  assert.equal(await kubectl(...exec, "curl", "-s", "http://target:8001/exec"), "the target\n");
  const record = await recordOf(namespace, "app", ({ original_port }) => original_port === 8001);
  assert.equal(record.name, "target");
});

test("kubectl cp brings files in and out", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-cp-"));
  try {
    await writeFile(join(folder, "there"), "and back\n");
    await kubectl("cp", join(folder, "there"), `${namespace}/app:/tmp/file`);
    await kubectl("cp", `${namespace}/app:/tmp/file`, join(folder, "back"));
    assert.equal(await readFile(join(folder, "back"), "utf8"), "and back\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("kubectl port-forward leads to the app's own port, many times at once", { skip }, async () => {
  await using forward = await portForward(namespace, "pod/app", 8080);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      (await fetch(`http://127.0.0.1:${forward.port}/${i}?afterMs=100`)).text(),
    ),
  );
  assert.deepEqual(answers, Array(20).fill("the target\n"));
});
