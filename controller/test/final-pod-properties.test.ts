import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { judgeFinalPod } from "@sallyport/controller/admission/final-pod";
import fc from "fast-check";
import { type Any, admit, optionsOf, patched, podOf, REQUEST, seededDraw } from "./pod-support.ts";

const FILE = join(import.meta.dirname, "../../../shared/data/pods.jsonl");
const found = existsSync(FILE);
if (!found) console.log(`SKIPPED: ${FILE} is not there; the properties are shown of one pod`);
const PODS: readonly JsonObject[] = [
  podOf({}, { annotations: { "sallyport.dev/ca-bundle": "corporate-ca" } }),
  ...(found
    ? readFileSync(FILE, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line).pod)
    : []),
];

/** The replica that has injected the pod, and one that knows no key of it. */
const JUDGES = [
  seededDraw(),
  { ...seededDraw(), sealKey: new TextEncoder().encode("another key") },
];

for (const sidecar of ["native", "ordinary"] as const) {
  const options = { sidecar, dangerousPods: "warn" } as const;
  const accepted = (pod: JsonObject) =>
    JUDGES.map((draw) => judgeFinalPod(pod, REQUEST, optionsOf(options), draw).allowed);
  const injected = PODS.flatMap((pod) => {
    const answer = admit(pod, {}, options);
    assert.ok(answer.allowed);
    return answer.patch.length > 0 ? [patched(pod, answer.patch)] : [];
  });

  test(`every pod of other projects passes as it was injected, ${sidecar}`, () => {
    for (const pod of injected) assert.deepEqual(accepted(pod), [true, true]);
    assert.equal(injected.length, found ? 364 : 1);
  });

  test(`one that is changed anywhere in the sidecar does not, ${sidecar}`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...injected),
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 6 }),
        fc.constantFrom("remove", "replace", "add"),
        fc.constantFrom<unknown>("", "x", "Never", 0, 1, -1, true, false, null, [], {}),
        (pod, way, how, value) => {
          const changed = structuredClone(pod) as Any;
          change(ours(changed), way, how, value);
          fc.pre(!isDeepStrictEqual(changed, pod));
          assert.deepEqual(accepted(changed), [false, false]);
        },
      ),
      { seed: 20_261, numRuns: 1_500 },
    );
  });
}

/** A container or volume of the sidecar's, as they stand in the pod. */
function ours({ spec }: Any): Any[] {
  return [...spec.initContainers, ...spec.containers, ...(spec.volumes ?? [])].filter(({ name }) =>
    String(name).startsWith("sallyport-"),
  );
}

/** Goes down at each fork, and changes what it comes to; what plugins may change it does not come to. */
function change([...roots]: Any[], way: readonly number[], how: string, value: unknown): void {
  let node: Any = roots[(way[0] ?? 0) % roots.length];
  for (const [depth, fork] of way.slice(1).entries()) {
    const keys = Object.keys(node).filter((key) => key !== "imagePullPolicy");
    const key = keys[fork % (keys.length || 1)];
    if (key === undefined) return;
    if (depth < way.length - 2 && typeof node[key] === "object" && node[key] !== null) {
      node = node[key];
      continue;
    }
    if (how === "remove" && Array.isArray(node)) node.splice(Number(key), 1);
    else if (how === "remove") delete node[key];
    else if (how === "replace") node[key] = value;
    else if (Array.isArray(node)) node.push(value);
    else node.added = value;
    return;
  }
}
