import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPatch, type Operation } from "rfc6902";
import type { JsonObject } from "../src/admission/admission.ts";
import { randomIdentity } from "../src/admission/identity-random.ts";
import { CARRIED, INJECT } from "../src/admission/names.ts";
import { InjectionOptions } from "../src/admission/options.ts";
import { decodeReview } from "../src/admission/review.ts";
import { WORKLOAD_KINDS, type WorkloadKind } from "../src/admission/workload-kinds.ts";
import { templateAt } from "../src/admission/workload-template.ts";
import { mutateWorkload } from "../src/mutate.ts";
import { reviewOf } from "./server-bed.ts";

const POD_SPEC = {
  securityContext: { runAsNonRoot: true },
  containers: [{ name: "web", image: "registry.example/web:1" }],
};
const PRIVILEGED = { securityContext: { privileged: true } };

type Annotations = Readonly<Record<string, string>>;
interface Manifest {
  readonly own?: string | undefined;
  readonly template?: string | undefined;
}

const kindNamed = (name: string) => {
  const kind = WORKLOAD_KINDS.find(({ kind }) => kind === name);
  assert.ok(kind);
  return kind;
};

/** An object of the kind with these annotations on itself and on its template. */
function workload(
  kind: WorkloadKind,
  own: Annotations | null,
  template: JsonObject,
  metadata: JsonObject = {},
): JsonObject {
  const inside = [...kind.template]
    .reverse()
    .reduce<JsonObject>((value, key) => ({ [key]: value, other: [null, {}] }), template);
  return {
    apiVersion: `${kind.group}/v1`,
    kind: kind.kind,
    metadata: { name: "web", annotations: own, ...metadata },
    ...inside,
  };
}

const annotated = (name: string, value: string | undefined): Annotations =>
  value === undefined ? {} : { [name]: value };

function written(kind: WorkloadKind, { own, template }: Manifest, extra: Annotations = {}) {
  return workload(kind, annotated(INJECT, own), {
    metadata: {
      labels: { app: "web" },
      annotations: { team: "a", ...annotated(INJECT, template), ...extra },
    },
    spec: POD_SPEC,
  });
}

function send(
  kind: WorkloadKind,
  object: JsonObject,
  request: JsonObject = {},
): { readonly result: JsonObject; readonly patch: readonly unknown[]; readonly warnings: string } {
  const asked = decodeReview(
    reviewOf(object, { kind: { group: kind.group, version: "v1", kind: kind.kind }, ...request }),
  );
  assert.ok(!(asked instanceof Error));
  const { admission } = mutateWorkload(asked, {
    webhook: "workloads",
    injection: "enabled",
    options: InjectionOptions.parse({}),
    draw: randomIdentity(),
    now: 0,
  });
  assert.ok(admission.allowed, "the workload webhook never refuses");
  const result = structuredClone(object);
  const failures = applyPatch(result, admission.patch as Operation[]);
  assert.deepEqual(
    failures.filter((failure) => failure !== null),
    [],
  );
  return { result, patch: admission.patch, warnings: admission.warnings.join("\n") };
}

const annotationsOf = (kind: WorkloadKind, object: JsonObject) =>
  ((templateAt(object, kind.template).metadata as JsonObject)?.annotations ?? {}) as Annotations;
const shown = (kind: WorkloadKind, object: JsonObject) => {
  const { [INJECT]: inject, [CARRIED]: carried } = annotationsOf(kind, object);
  return { inject, carried };
};

/** What a template must say, from what its author has written and from what was carried before. */
function expected({ own, template }: Manifest, before: string | undefined) {
  if (template !== undefined) return { inject: template, carried: undefined };
  const carried = own === "true" || own === "false" ? own : own === undefined ? undefined : before;
  return { inject: carried, carried };
}

/** How tools send a manifest over a live object: some write what they have, some change what differs from their last. */
const TOOLS = {
  replace: (kind: WorkloadKind, next: Manifest) => written(kind, next),
  apply: (kind: WorkloadKind, next: Manifest, last: Manifest, live: JsonObject) => {
    const { inject, carried } = shown(kind, live);
    const kept = last.template === undefined ? inject : undefined;
    return written(kind, { ...next, template: next.template ?? kept }, annotated(CARRIED, carried));
  },
};

const OWN = [undefined, "true", "false", "yes"] as const;
const TEMPLATE = [undefined, "true", "false"] as const;
const MANIFESTS: Manifest[] = OWN.flatMap((own) => TEMPLATE.map((template) => ({ own, template })));

for (const kind of WORKLOAD_KINDS)
  test(`${kind.kind}: what a template says follows from what its author wrote, at creation`, () => {
    for (const manifest of MANIFESTS) {
      const { result } = send(kind, written(kind, manifest));
      assert.deepEqual(
        shown(kind, result),
        expected(manifest, undefined),
        JSON.stringify(manifest),
      );
      const again = send(kind, result);
      assert.deepEqual(again.patch, [], `admitted again: ${JSON.stringify(manifest)}`);
    }
  });

for (const kind of WORKLOAD_KINDS.filter(({ templateIsFixed }) => !templateIsFixed))
  for (const [tool, sent] of Object.entries(TOOLS))
    test(`${kind.kind}: from any state to any other, ${tool} ends where the author's text says`, () => {
      for (const first of MANIFESTS)
        for (const second of MANIFESTS) {
          const live = send(kind, written(kind, first)).result;
          const before = shown(kind, live).carried;
          // What is written exactly as it was carried cannot be told from what was carried (docs/reference/workloads.md).
          if (tool === "apply" && before !== undefined && second.template === before) continue;
          const object = sent(kind, second, first, live);
          const request = { operation: "UPDATE", oldObject: live };
          const { result } = send(kind, object, request);
          const story = JSON.stringify([first, second]);
          assert.deepEqual(shown(kind, result), expected(second, before), story);
          assert.equal(annotationsOf(kind, result).team, "a", story);
          assert.deepEqual(send(kind, result, request).patch, [], `admitted again: ${story}`);
        }
    });

test("a Job's template is never changed after its creation, and whoever tries is told", () => {
  const kind = kindNamed("Job");
  for (const first of MANIFESTS)
    for (const own of OWN) {
      const live = send(kind, written(kind, first)).result;
      const { inject, carried } = shown(kind, live);
      const object = written(kind, { own, template: inject }, annotated(CARRIED, carried));
      const { patch, warnings } = send(kind, object, { operation: "UPDATE", oldObject: live });
      const story = JSON.stringify([first, own]);
      assert.deepEqual(patch, [], story);
      const comesTooLate =
        first.template === undefined && expected({ own }, carried).inject !== inject;
      assert.equal(warnings.includes("delete the Job and create it again"), comesTooLate, story);
    }
});

test("the Job that a CronJob makes keeps what the CronJob carried, and may say otherwise itself", () => {
  const cronJob = kindNamed("CronJob");
  const job = kindNamed("Job");
  const made = templateAt(
    send(cronJob, written(cronJob, { own: "true" })).result,
    cronJob.template,
  );
  const owner = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    name: "web",
    uid: "1",
    controller: true,
  };
  for (const [own, ownerReferences, wanted] of [
    [undefined, [owner], "true"],
    ["yes", [owner], "true"],
    ["false", [owner], "false"],
    [undefined, [{ ...owner, controller: false }], undefined],
    [undefined, [{ ...owner, kind: "Workflow" }], undefined],
    [undefined, null, undefined],
  ] as const) {
    const object = workload(job, annotated(INJECT, own), made, { ownerReferences });
    const { result } = send(job, object);
    const story = JSON.stringify([own, ownerReferences]);
    assert.deepEqual(shown(job, result), { inject: wanted, carried: wanted }, story);
    const update = send(job, result, { operation: "UPDATE", oldObject: result });
    assert.doesNotMatch(update.warnings, /create it again/, story);
  }
});

const deployment = kindNamed("Deployment");

for (const [what, manifest, warning] of [
  [
    "a value that is none",
    { own: "True" },
    /"True" on the Deployment .*expected "true" or "false"/,
  ],
  ["a template that says otherwise", { own: "true", template: "false" }, /no effect.*"false"/],
] as const)
  test(`${what} is a warning`, () => {
    assert.match(send(deployment, written(deployment, manifest)).warnings, warning);
  });

for (const manifest of [{ own: "true" }, { own: "true", template: "true" }, {}])
  test(`no warning where all is well: ${JSON.stringify(manifest)}`, () => {
    assert.equal(send(deployment, written(deployment, manifest)).warnings, "");
  });

test("a mark that we cannot have made protects nothing and removes nothing of its author's", () => {
  for (const [inject, carried] of [
    ["yes", "yes"],
    ["false", "true"],
  ] as const) {
    const object = written(deployment, { template: inject }, { [CARRIED]: carried });
    assert.deepEqual(shown(deployment, send(deployment, object).result), {
      inject,
      carried: undefined,
    });
  }
});

for (const [what, template] of [
  ["no metadata", { spec: POD_SPEC }],
  ["null metadata", { metadata: null, spec: POD_SPEC }],
  ["no annotations", { metadata: { labels: { app: "web" } }, spec: POD_SPEC }],
  ["null annotations", { metadata: { annotations: null }, spec: POD_SPEC }],
  ["no annotation", { metadata: { annotations: {} }, spec: POD_SPEC }],
] as const)
  for (const kind of WORKLOAD_KINDS)
    test(`${kind.kind} whose template has ${what}: carried, and taken back without a trace`, () => {
      const { result } = send(kind, workload(kind, { [INJECT]: "true" }, template));
      assert.deepEqual(annotationsOf(kind, result), { [INJECT]: "true", [CARRIED]: "true" });
      const bare = { ...result, metadata: { name: "web" } };
      if (kind.templateIsFixed) return;
      const back = send(kind, bare, { operation: "UPDATE", oldObject: result });
      assert.deepEqual(templateAt(back.result, kind.template).spec, POD_SPEC);
      const metadata = templateAt(back.result, kind.template).metadata as JsonObject;
      assert.ok(!("annotations" in metadata));
    });

test("nothing but the two annotations of the template is changed", () => {
  for (const kind of WORKLOAD_KINDS) {
    const object = written(kind, { own: "true" });
    const { result } = send(kind, object);
    const annotations = annotationsOf(kind, result) as Record<string, string>;
    delete annotations[INJECT];
    delete annotations[CARRIED];
    assert.deepEqual(result, object, kind.kind);
  }
});

for (const [what, request] of [
  ["scale", { subResource: "scale", operation: "UPDATE" }],
  ["status", { subResource: "status", operation: "UPDATE" }],
  ["DELETE", { operation: "DELETE", object: null }],
  ["a kind that makes no pods", { kind: { group: "", version: "v1", kind: "ConfigMap" } }],
  ["another group", { kind: { group: "example.org", version: "v1", kind: "Deployment" } }],
  ["another version", { kind: { group: "apps", version: "v1beta1", kind: "Deployment" } }],
] as const)
  test(`${what} is let through untouched`, () => {
    const { patch, warnings } = send(deployment, written(deployment, { own: "true" }), request);
    assert.deepEqual([patch, warnings], [[], ""]);
  });

test("a workload that is none is let through, and its author told what is wrong", () => {
  const object = workload(deployment, null, { metadata: { annotations: { a: 1 } } });
  const { patch, warnings } = send(deployment, object);
  assert.deepEqual(patch, []);
  assert.match(warnings, /not a Deployment: [\s\S]*spec\.template\.metadata\.annotations\.a/);
});

test("the pod webhook's refusal shows when the workload is made, for the template as it will be", () => {
  const spec = { ...POD_SPEC, containers: [{ ...POD_SPEC.containers[0], ...PRIVILEGED }] };
  const object = workload(deployment, { [INJECT]: "true" }, { spec });
  assert.match(send(deployment, object).warnings, /^its pods will be refused: .*privileged/);
  assert.equal(send(deployment, workload(deployment, null, { spec })).warnings, "");
});

test("the pod webhook's warning shows when the workload is made", () => {
  const object = workload(
    deployment,
    { [INJECT]: "true" },
    { spec: { ...POD_SPEC, hostNetwork: true } },
  );
  assert.match(send(deployment, object).warnings, /^no sidecar: .*hostNetwork/);
});
