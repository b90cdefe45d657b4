import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingBed;

let bed: WebhookBed;
let namespace: string;
before(async () => {
  if (skip) return;
  bed = await startWebhookBed();
  namespace = await bed.namespace("enabled");
});
after(() => bed?.[Symbol.asyncDispose]());

const SPEC = {
  containers: [
    {
      ...{ name: "web", image: "registry.example/web:1" },
      securityContext: { runAsNonRoot: true },
    },
  ],
};
const labels = { app: "web" };
const template = (spec: object = SPEC) => ({ metadata: { labels }, spec });
const selecting = (spec: object = SPEC) => ({
  selector: { matchLabels: labels },
  template: template(spec),
});
const job = { template: template({ ...SPEC, restartPolicy: "Never" }) };

/** How each kind is written, and where its pod template is. */
const KINDS: Readonly<Record<string, { object: object; path: string }>> = {
  deployment: {
    object: { apiVersion: "apps/v1", kind: "Deployment", spec: selecting() },
    path: "{.spec.template",
  },
  statefulset: {
    object: { apiVersion: "apps/v1", kind: "StatefulSet", spec: selecting() },
    path: "{.spec.template",
  },
  daemonset: {
    object: { apiVersion: "apps/v1", kind: "DaemonSet", spec: selecting() },
    path: "{.spec.template",
  },
  cronjob: {
    object: {
      ...{ apiVersion: "batch/v1", kind: "CronJob" },
      spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: job } },
    },
    path: "{.spec.jobTemplate.spec.template",
  },
};
const JOB = { apiVersion: "batch/v1", kind: "Job", spec: job };

/** Runs kubectl as it is written; it is to succeed. Gives the warnings. */
async function run(command: string, input?: object): Promise<string> {
  const [kubectl, ...args] = command.split(" ");
  assert.equal(kubectl, "kubectl");
  const { status, stderr } = await bed.kubectl(args, input);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stderr;
}

async function create(object: object, name: string, annotations = {}): Promise<string> {
  return run(`kubectl create -n ${namespace} -f -`, { ...object, metadata: { name, annotations } });
}

/** What the template says of injection, and how often the object's spec has changed. */
async function shownOf(kind: string, name: string, path: string) {
  const at = `${path}.metadata.annotations.sallyport\\.dev/`;
  const { stdout } = await bed.kubectl([
    ...["get", kind, name, "-n", namespace, "-o"],
    `jsonpath=${at}inject}|${at}carried}|{.metadata.generation}`,
  ]);
  const [inject, carried, generation] = stdout.split("|");
  return { inject, carried, generation: Number(generation) };
}

for (const [kind, { object, path }] of Object.entries(KINDS))
  test(`kubectl annotate ${kind} web sallyport.dev/inject=true is carried to its pod template, and taken back with the annotation`, {
    skip,
  }, async () => {
    const shown = () => shownOf(kind, "web", path);
    assert.equal(await create(object, "web"), "");
    assert.deepEqual(await shown(), { inject: "", carried: "", generation: 1 });

    await run(`kubectl annotate ${kind} web sallyport.dev/inject=true -n ${namespace}`);
    assert.deepEqual(await shown(), { inject: "true", carried: "true", generation: 2 });

    await run(`kubectl label ${kind} web team=a -n ${namespace}`);
    assert.deepEqual(await shown(), { inject: "true", carried: "true", generation: 2 });

    await run(
      `kubectl annotate ${kind} web sallyport.dev/inject=false --overwrite -n ${namespace}`,
    );
    assert.deepEqual(await shown(), { inject: "false", carried: "false", generation: 3 });

    await run(`kubectl annotate ${kind} web sallyport.dev/inject- -n ${namespace}`);
    assert.deepEqual(await shown(), { inject: "", carried: "", generation: 4 });
  });

test("what kubectl apply, set image and rollout restart do afterwards leaves the annotation where it is", {
  skip,
}, async () => {
  const object = KINDS.deployment?.object;
  const manifest = { ...object, metadata: { name: "applied" } };
  const shown = async () => {
    const { inject, carried } = await shownOf("deployment", "applied", "{.spec.template");
    return [inject, carried];
  };
  await run(`kubectl apply -n ${namespace} -f -`, manifest);
  await run(`kubectl annotate deployment applied sallyport.dev/inject=true -n ${namespace}`);
  for (const command of [
    `kubectl apply -n ${namespace} -f -`,
    `kubectl apply --server-side --force-conflicts -n ${namespace} -f -`,
    `kubectl set image deployment/applied web=registry.example/web:2 -n ${namespace}`,
    `kubectl rollout restart deployment/applied -n ${namespace}`,
  ]) {
    await run(command, manifest);
    assert.deepEqual(await shown(), ["true", "true"], command);
  }
});

test("a Job is told its annotation when it is created; a later one is let through, and warned of", {
  skip,
}, async () => {
  const shown = async (name: string) => {
    const { inject, carried } = await shownOf("job", name, "{.spec.template");
    return [inject, carried];
  };
  await create(JOB, "early", { "sallyport.dev/inject": "true" });
  assert.deepEqual(await shown("early"), ["true", "true"]);

  await create(JOB, "late");
  const warned = await run(`kubectl annotate job late sallyport.dev/inject=true -n ${namespace}`);
  assert.match(
    warned,
    /^Warning: annotation sallyport\.dev\/inject on a Job counts when it is created/,
  );
  assert.deepEqual(await shown("late"), ["", ""]);
  // What its controller does from then on.
  await run(`kubectl label job late team=a -n ${namespace}`);
  await run(`kubectl patch job late -n ${namespace} -p {"spec":{"suspend":true}}`);
  await run(`kubectl annotate job early sallyport.dev/inject- -n ${namespace}`);
  assert.deepEqual(await shown("early"), ["true", "true"]);
});

test("a Job that is made from a CronJob keeps what was carried to it", { skip }, async () => {
  await create(KINDS.cronjob?.object ?? {}, "nightly", { "sallyport.dev/inject": "true" });
  await run(`kubectl create job by-hand --from=cronjob/nightly -n ${namespace}`);
  const { inject, carried } = await shownOf("job", "by-hand", "{.spec.template");
  assert.deepEqual([inject, carried], ["true", "true"]);
});

test("what will become of the pods is said at kubectl apply of the workload", {
  skip,
}, async () => {
  const privileged = {
    containers: [
      { name: "web", image: "registry.example/web:1", securityContext: { privileged: true } },
    ],
  };
  const said = await run(`kubectl apply -n ${namespace} -f -`, {
    ...{ apiVersion: "apps/v1", kind: "Deployment", spec: selecting(privileged) },
    metadata: {
      name: "dangerous",
      annotations: { "sallyport.dev/inject": "true", "sallyport.dev/log-level": "debug" },
    },
  });
  assert.match(
    said,
    /Warning: its pods will be refused: Sallyport refuses this pod: spec\.containers\[0\]\.securityContext\.privileged/,
  );
  assert.match(
    said,
    /Warning: annotation sallyport\.dev\/log-level on the Deployment means nothing/,
  );
});

test("a namespace is taken in by kubectl label namespace, and let go by taking the label away", {
  skip,
}, async () => {
  const shop = await bed.namespace("none");
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", spec: SPEC },
    metadata: { generateName: "web-", annotations: { "sallyport.dev/inject": "true" } },
  };
  const names = async () => {
    const { stdout, stderr } = await bed.kubectl(
      [
        ...["create", "-n", shop, "--dry-run=server", "-f", "-"],
        ...["-o", "jsonpath={.spec.initContainers[*].name}"],
      ],
      pod,
    );
    return stdout + stderr;
  };
  /** The API server's own view of the namespace follows within moments. */
  const until = async (expected: string) => {
    const deadline = performance.now() + 30_000;
    for (let last = ""; last !== expected; last = await names())
      assert.ok(performance.now() < deadline, last);
  };
  assert.equal(await names(), "");
  await run(`kubectl label namespace ${shop} sallyport.dev/injection=enabled`);
  await until("sallyport-init sallyport-proxy");
  await run(`kubectl label namespace ${shop} sallyport.dev/injection-`);
  await until("");
});
