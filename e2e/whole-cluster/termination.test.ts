import assert from "node:assert/strict";
import { test } from "node:test";
import { app } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { RunningKubectl } from "./support/running-kubectl.ts";
import { asRecord, PROXY } from "./support/sidecar.ts";
import { SINK, targetIn } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-termination", ENABLED);
targetIn(namespace);

const BYTES = 8 << 20;
const GRACE_MS = 30_000;

test("a pod that is deleted says its last words, every byte of them, and is gone in time", {
  skip,
}, async () => {
  await apply(
    namespace,
    pod("app", { containers: [app("app", "last-words-main", "target")] }, INJECTED),
  );
  await waitFor(namespace, "pod/app", "condition=Ready");
  const follow = (...which: readonly string[]) =>
    new RunningKubectl("logs", ...which, "--namespace", namespace, "--follow");
  await using its = follow("app");
  await using sidecars = follow("app", "--container", PROXY);
  await using targets = follow("target");
  await its.line((line) => line === "ready" || undefined);
  await sidecars.line((line) => line.includes('"ready"') || undefined);

  const start = performance.now();
  await kubectl("delete", "pod", "app", "--namespace", namespace);
  const tookMs = performance.now() - start;
  const [said, sidecarSaid] = await Promise.all([its.end(), sidecars.end()]);

  // Requests while it was ending, to new connections and kept ones.
  assert.deepEqual(
    said.filter((line) => line.startsWith("request")),
    Array.from({ length: 6 }, (_, i) => `request ${i}: 200`),
  );
  // What it had written when it ended arrived after it had, whole.
  const written = / ends at (\d+)$/.exec(said.at(-1) ?? "")?.[1];
  const sank = await targets.line((line) => (line.startsWith("sink: ") ? line : undefined));
  const { bytes, at } = /^sink: (?<bytes>\d+) bytes, ended at (?<at>\d+)$/.exec(sank)?.groups ?? {};
  assert.equal(Number(bytes), BYTES, sank);
  assert.ok(Number(at) > Number(written) + 500, `${at} is hardly after ${written}`);

  assert.ok(tookMs < GRACE_MS, `${Math.round(tookMs)} ms`);
  const told = sidecarSaid.findIndex((line) => line.includes("SIGTERM: draining"));
  const sunk = sidecarSaid.findIndex((line) => asRecord(line)?.original_port === SINK);
  assert.ok(told >= 0 && sunk > told, sidecarSaid.join("\n"));
  const records = sidecarSaid.flatMap((line) => asRecord(line) ?? []);
  for (const { closed_how, error } of records)
    assert.deepEqual([closed_how, error], ["end", undefined]);
  assert.equal(
    sidecarSaid.some((line) => line.includes("drain ended with")),
    false,
  );
});
