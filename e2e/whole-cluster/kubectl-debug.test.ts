import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { ClusterAuthority } from "../cluster/pki.ts";
import { idle } from "./support/containers.ts";
import { lacking as skip, TOOLS_IMAGE } from "./support/given.ts";
import { apply, read, type Said, tryKubectl } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { hasSidecar, PROXY, recordOf } from "./support/sidecar.ts";
import { targetIn } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-kubectl-debug", ENABLED);
targetIn(namespace);

let user: { readonly uid: number; readonly gid: number };
let folder: string;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "sallyport-debug-"));
  const { certificate } = await ClusterAuthority.create("corporate");
  const authorities = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "authorities" },
    data: { "ca.crt": certificate },
  };
  const annotations = { ...INJECTED, "sallyport.dev/ca-bundle": "authorities" };
  await apply(namespace, authorities, pod("app", { containers: [idle()] }, annotations));
  await waitFor(namespace, "pod/app", "condition=Ready");
  const { spec } = await read<V1Pod>(namespace, "pod", "app");
  const proxy = spec?.initContainers?.find(({ name }) => name === PROXY);
  const { runAsUser = 0, runAsGroup = 0 } = proxy?.securityContext ?? {};
  user = { uid: runAsUser, gid: runAsGroup };
});
after(async () => {
  if (folder) await rm(folder, { recursive: true });
});

let made = 0;

/** As a person types it; `custom` is what --custom adds to the container. */
async function debug(
  options: readonly string[],
  custom: Partial<V1Container> = {},
  command: readonly string[] = ["true"],
): Promise<Said & { readonly container: string }> {
  const container = `debugger-${++made}`;
  const file = join(folder, `${container}.json`);
  await writeFile(file, JSON.stringify(custom));
  const said = await tryKubectl([
    ...["debug", "app", "--namespace", namespace, "--image", TOOLS_IMAGE, "--container", container],
    ...["--custom", file, ...options, "--", ...command],
  ]);
  return { ...said, container };
}

for (const profile of ["legacy", "baseline", "restricted"])
  test(`kubectl debug --profile=${profile} works, and its traffic goes through the sidecar`, {
    skip,
  }, async () => {
    const port = { legacy: 8001, baseline: 8002, restricted: 8003 }[profile];
    // The image is root's.
    const custom = profile === "restricted" ? { securityContext: { runAsUser: 1_000 } } : {};
    const fetching = ["curl", "--silent", "--fail", `http://target:${port}/debug`];
    const { status, stderr } = await debug([`--profile=${profile}`], custom, fetching);
    assert.equal(status, 0, stderr);
    const record = await recordOf(namespace, "app", ({ original_port }) => original_port === port);
    assert.equal(record.name, "target");
  });

const refused: readonly [
  what: string,
  options: readonly string[],
  custom: () => Partial<V1Container>,
  RegExp,
][] = [
  [
    "with the sidecar's user",
    ["--profile=baseline"],
    () => ({ securityContext: { runAsUser: user.uid, runAsGroup: user.gid } }),
    /securityContext\.runAsUser: \d+ is the sidecar's own/,
  ],
  [
    "with the sidecar's volume",
    ["--profile=baseline"],
    () => ({ volumeMounts: [{ name: "sallyport-ca-bundle", mountPath: "/here" }] }),
    /volumeMounts\[0\]\.name: .*sallyport-ca-bundle/,
  ],
  ["--profile=general", ["--profile=general"], () => ({}), /SYS_PTRACE can read and change/],
  ["--profile=sysadmin", ["--profile=sysadmin"], () => ({}), /securityContext\.privileged/],
  [
    "--profile=netadmin",
    ["--profile=netadmin"],
    () => ({}),
    /NET_ADMIN can take the redirect away/,
  ],
  [
    "that would be root among the sidecar's processes",
    ["--profile=baseline", `--target=${PROXY}`],
    () => ({}),
    /targetContainerName: root could stop or inspect sallyport-proxy/,
  ],
];

for (const [what, options, custom, said] of refused)
  test(`kubectl debug ${what} is refused, with the field and what to do`, { skip }, async () => {
    const { status, stderr, container } = await debug(options, custom());
    assert.notEqual(status, 0);
    assert.match(stderr, /admission webhook "[a-z.-]+\.sallyport\.dev" denied the request/);
    assert.match(stderr, said);
    const { spec } = await read<V1Pod>(namespace, "pod", "app");
    const names = spec?.ephemeralContainers?.map(({ name }) => name) ?? [];
    assert.equal(names.includes(container), false);
  });

test("kubectl debug --copy-to makes a copy with a sidecar of its own", { skip }, async () => {
  const { status, stderr } = await debug([
    ...["--copy-to=copy", "--share-processes=false", "--profile=baseline"],
  ]);
  assert.equal(status, 0, stderr);
  await waitFor(namespace, "pod/copy", "jsonpath={.status.phase}=Running");
  const copy = await read<V1Pod>(namespace, "pod", "copy");
  assert.equal(hasSidecar(copy), true);
});
