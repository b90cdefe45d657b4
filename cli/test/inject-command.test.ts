import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { injected, runInject } from "./inject-bed.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-inject-"));
after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const container = "{name: app, image: b, securityContext: {runAsNonRoot: true}}";
const pod = (name: string, annotations = "{}", spec = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, annotations: ${annotations}}
spec: {${spec}containers: [${container}]}
`;
const WISH = '{sallyport.dev/inject: "true"}';

const KINDS: readonly (readonly [apiVersion: string, kind: string, path: readonly string[]])[] = [
  ["v1", "Pod", []],
  ["v1", "PodTemplate", ["template"]],
  ["v1", "ReplicationController", ["spec", "template"]],
  ["apps/v1", "Deployment", ["spec", "template"]],
  ["apps/v1", "StatefulSet", ["spec", "template"]],
  ["apps/v1", "DaemonSet", ["spec", "template"]],
  ["apps/v1", "ReplicaSet", ["spec", "template"]],
  ["batch/v1", "Job", ["spec", "template"]],
  ["batch/v1", "CronJob", ["spec", "jobTemplate", "spec", "template"]],
  ["apps.openshift.io/v1", "DeploymentConfig", ["spec", "template"]],
];

for (const [apiVersion, kind, path] of KINDS)
  test(`the pods of a ${kind} are injected`, async () => {
    const inner = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "app" }] } };
    const object = {
      ...{ apiVersion, kind, metadata: { name: "x" } },
      ...path.reduceRight<object>((value, key) => ({ [key]: value }), inner),
    };
    const result = path.reduce(
      (value, key) => value[key],
      parse(await injected(JSON.stringify(object))),
    );
    assert.equal(result.spec.initContainers[1].name, "sallyport-proxy");
    assert.ok(result.metadata.annotations["sallyport.dev/status"]);
  });

for (const [apiVersion, kind] of [
  ["batch.volcano.sh/v1alpha1", "Job"],
  ["serving.knative.dev/v1", "Deployment"],
  ["v1", "Deployment"],
  ["v1", "Service"],
  [7, "Pod"],
] as const)
  test(`a ${kind} of ${apiVersion} is not taken for one that holds pods`, async () => {
    const text = JSON.stringify({
      apiVersion,
      kind,
      spec: { template: { spec: { containers: [] } } },
    });
    assert.equal(await injected(text), text);
  });

test("without --all only pods that ask for a sidecar get one, and each is told of", async () => {
  const text = `${pod("a")}---\n${pod("b", WISH)}`;
  const { status, stdout, stderr } = await runInject(["-f", "-"], text);
  assert.equal(status, 0);
  assert.ok(stdout.startsWith(`${pod("a")}---\n`));
  assert.equal(stderr, "stdin[1] Pod/a: left as it is\nstdin[2] Pod/b: injected\n");
});

test("a Deployment's own annotation is carried to its pods, as the webhook does", async () => {
  const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: ${WISH}}
spec: {template: {spec: {containers: [${container}]}}}
`;
  const { stdout } = await runInject(["-f", "-"], text);
  const { annotations } = parse(stdout).spec.template.metadata;
  assert.equal(annotations["sallyport.dev/carried"], "true");
  assert.ok(annotations["sallyport.dev/status"]);
});

test("if one pod is refused nothing is written, and every refusal is told with file, document and name", async () => {
  const good = fileOf("good.yaml", pod("good"));
  const bad = fileOf(
    "bad.yaml",
    `${pod("fine")}---\n${pod("evil", "{}", "hostPID: true, ")}---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worse}
spec:
  template:
    spec:
      hostPID: true
      containers: [{name: a, securityContext: {privileged: true}}]
`,
  );
  const { status, stdout, stderr } = await runInject(["--all", "-f", good, "-f", bad]);
  assert.equal(status, 1);
  assert.equal(stdout, "");
  const lines = stderr.split("\n");
  for (const line of [
    `${good} Pod/good: injected`,
    `${bad}[1] Pod/fine: injected`,
    `${bad}[2] Pod/evil: Sallyport refuses this pod: spec.hostPID: the pod sees every process of its node; remove it`,
    `${bad}[3] Deployment/worse: Sallyport refuses this pod:`,
    "- spec.containers[0].securityContext.privileged: container a can take the redirect away; remove it",
  ])
    assert.ok(lines.includes(line), `${line}\nin\n${stderr}`);
});

test("YAML that cannot be read is told with file, line, column and what", async () => {
  const bad = fileOf("broken.yaml", `${pod("a")}---\nkind: Pod\n kind: x\n`);
  const { status, stdout, stderr } = await runInject(["-f", bad]);
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /broken\.yaml:6:7: Nested mappings are not allowed.*\n$/);
});

test("what an alias stands for is not changed behind its back", async () => {
  const { status, stderr } = await runInject(
    ["--all", "-f", "-"],
    `apiVersion: v1
kind: List
items:
- &a
  apiVersion: v1
  kind: Pod
  metadata: {name: p}
  spec: {containers: [${container}]}
- *a
`,
  );
  assert.equal(status, 1);
  assert.match(
    stderr,
    /Pod\/p: it cannot be edited in place: write its aliases and merge keys out/,
  );
});

test("a folder is its manifests in order; several files make one stream", async () => {
  const inner = join(folder, "shop");
  mkdirSync(join(inner, "below"), { recursive: true });
  writeFileSync(join(inner, "b.yml"), "kind: B\n");
  writeFileSync(join(inner, "a.yaml"), "kind: A");
  writeFileSync(join(inner, "c.json"), '{"kind": "C"}\n');
  writeFileSync(join(inner, "notes.txt"), ": not : yaml");
  writeFileSync(join(inner, "below", "d.yaml"), "kind: D\n");
  const { status, stdout } = await runInject(["-f", inner, "-f", "-"], "kind: E\n");
  assert.equal(status, 0);
  assert.equal(stdout, 'kind: A\n---\nkind: B\n---\n{"kind": "C"}\n---\nkind: E\n');
});

test("the options are the controller's configuration, and every mistake in them is told", async () => {
  const good = fileOf(
    "good.json",
    JSON.stringify({ sidecar: "ordinary", proxyUid: 1234, proxyGid: 1234 }),
  );
  const { stdout } = await runInject(["--all", "--config", good, "-f", "-"], pod("p"));
  const [proxy] = parse(stdout).spec.containers;
  assert.equal(proxy.securityContext.runAsUser, 1234);
  const bad = fileOf("bad.json", JSON.stringify({ sidekar: "x", proxyUid: 0 }));
  const { status, stderr } = await runInject(["--config", bad, "-f", "-"], pod("p"));
  assert.equal(status, 1);
  assert.match(stderr, /bad\.json is not a controller configuration:\n.*sidekar.*\n.*\n.*proxyUid/);
});

for (const [args, status, said] of [
  [[], 2, /^sallyport inject: which manifests\? -f FILE/],
  [["x.yaml"], 2, /^sallyport inject: .*see --help\n$/],
  [["--nonsense"], 2, /^sallyport inject: Unknown option '--nonsense'.*see --help\n$/s],
  [["-f"], 2, /see --help/],
  [
    ["-f", "/no/such/file"],
    1,
    /^sallyport inject: cannot read \/no\/such\/file: there is no such file/,
  ],
  [["-f", join(folder)], 1, /^/],
  [["--config", "/no/such/file", "-f", "-"], 1, /cannot read the configuration/],
] as const)
  test(`arguments ${JSON.stringify(args).slice(0, 60)}: exit status ${status}`, async () => {
    const ran = await runInject(args);
    assert.equal(ran.status, status);
    assert.equal(ran.stdout, "");
    assert.match(ran.stderr, said);
    assert.doesNotMatch(ran.stderr, /^\s+at /m);
  });

test("--help goes to standard output", async () => {
  const { status, stdout, stderr } = await runInject(["--help"]);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /--eject/);
});
