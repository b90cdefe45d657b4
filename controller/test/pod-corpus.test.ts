import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { checkInvariants } from "./pod-invariants.ts";
import { type Any, admit } from "./pod-support.ts";

const FILE = join(import.meta.dirname, "../../../shared/data/pods.jsonl");
const missing =
  !existsSync(FILE) && `SKIPPED: ${FILE} is not there; it holds pods of other projects`;
if (missing) console.error(missing);
const skip = missing;

interface Sample {
  readonly src: string;
  readonly path: string;
  readonly pod: JsonObject;
}
const SAMPLES: Sample[] = missing
  ? []
  : readFileSync(FILE, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));

function tally(run: (pod: JsonObject) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { pod, path } of SAMPLES) {
    try {
      const outcome = run(pod);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  return counts;
}

for (const sidecar of ["native", "ordinary"] as const) {
  test(`the invariants hold for every pod of other projects, ${sidecar}`, { skip }, () => {
    const counts = tally((pod) => checkInvariants(pod, { sidecar }));
    assert.deepEqual(counts, { injected: 353, "left alone": 9, refused: 10 });
  });

  test(`and where dangerous pods are warned of only, ${sidecar}`, { skip }, () => {
    const counts = tally((pod) => checkInvariants(pod, { sidecar, dangerousPods: "warn" }));
    assert.deepEqual(counts, { injected: 363, "left alone": 9 });
  });
}

test("as they are found, in a namespace of opt-in, all are left alone without a word", {
  skip,
}, () => {
  for (const { pod, path } of SAMPLES) {
    const answer = admit(pod, { injection: "enabled" });
    assert.deepEqual(answer, { allowed: true, patch: [], warnings: [] }, path);
  }
});

test("each that is refused has what it is refused for", { skip }, () => {
  for (const { pod, path } of SAMPLES) {
    const answer = admit(pod);
    if (answer.allowed) continue;
    const { spec } = pod as Any;
    const contexts = [...spec.containers, ...(spec.initContainers ?? [])].map(
      (one) => one.securityContext ?? {},
    );
    const dangerous =
      spec.hostPID ||
      spec.shareProcessNamespace ||
      contexts.some((one) => one.privileged) ||
      contexts.some((one) => one.capabilities?.add?.includes("NET_ADMIN"));
    assert.ok(dangerous, `${path}: ${answer.message}`);
  }
});
