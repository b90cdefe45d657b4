import assert from "node:assert/strict";
import { test } from "node:test";
import { CARRIED, INJECT, INJECTION_LABEL } from "@sallyport/controller/admission/names";
import { WORKLOAD_KINDS } from "@sallyport/controller/admission/workload-kinds";
import { assessWorkload } from "@sallyport/controller/assessment/workload";
import { writtenAt } from "@sallyport/controller/assessment/written";
import type { Any } from "../pod-support.ts";
import { LABEL_FIELDS } from "./stored-pod.ts";

const kindOf = (name: string) => WORKLOAD_KINDS.find(({ kind }) => kind === name) as Any;

function workload(kind: string, own: Any, inTemplate: Any, metadata: Any = {}): Any {
  const template = { metadata: { annotations: inTemplate } };
  const spec = kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template };
  return { metadata: { annotations: own, ...metadata }, spec };
}

const marked = (value: string) => ({ [INJECT]: value, [CARRIED]: value });

for (const [what, kind, own, inTemplate, expected] of [
  ["says nothing", "Deployment", undefined, undefined, undefined],
  ["says what its template says", "Deployment", { [INJECT]: "true" }, marked("true"), undefined],
  ["says it, and its template does not", "Deployment", { [INJECT]: "true" }, {}, "not_carried"],
  ["says it, and its template does not", "CronJob", { [INJECT]: "true" }, {}, "not_carried"],
  [
    "is overruled by its template",
    "Deployment",
    { [INJECT]: "true" },
    { [INJECT]: "false" },
    undefined,
  ],
  ["changed its mind", "StatefulSet", { [INJECT]: "false" }, marked("true"), "not_carried"],
  ["took it back", "DaemonSet", undefined, marked("true"), "not_taken_back"],
  ["says what cannot be read", "Deployment", { [INJECT]: "yes" }, marked("true"), undefined],
] as const)
  test(`a ${kind} that ${what}: ${expected ?? "as it should be"}`, () => {
    assert.equal(assessWorkload(kindOf(kind), workload(kind, own, inTemplate)), expected);
  });

test("a Job keeps what its CronJob has carried", () => {
  const ownerReferences = [{ kind: "CronJob", name: "nightly", controller: true }];
  const job = workload("Job", undefined, marked("true"), { ownerReferences });
  assert.equal(assessWorkload(kindOf("Job"), job), undefined);
});

test("a label was written when the last of its managers wrote", () => {
  const at = (time: string, fieldsV1: Any) => ({ manager: time, time, fieldsV1 });
  const metadata = {
    managedFields: [
      at("2026-01-01T10:00:00Z", LABEL_FIELDS),
      at("2026-01-01T12:00:00Z", { "f:metadata": { "f:labels": { "f:other": {} } } }),
      at("2026-01-01T11:00:00Z", LABEL_FIELDS),
    ],
  };
  const hour = Date.parse("2026-01-01T11:00:00Z");
  assert.equal(writtenAt(metadata, "labels", INJECTION_LABEL), hour);
  assert.equal(writtenAt(metadata, "annotations", INJECTION_LABEL), undefined);
  assert.equal(writtenAt({}, "labels", INJECTION_LABEL), undefined);
});
