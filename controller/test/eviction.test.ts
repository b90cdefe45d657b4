import assert from "node:assert/strict";
import { test } from "node:test";
import { eject } from "@sallyport/controller/admission/eject";
import {
  SAFE_TO_EVICT,
  safeToEvict,
  withoutSafeToEvict,
} from "@sallyport/controller/admission/eviction";
import { type Any, admitted, podOf } from "./pod-support.ts";

/** The autoscaler's rule (cluster-autoscaler/utils/drain/drain.go), for whatever it calls a local volume. */
function blocksEviction({ metadata, spec }: Any): boolean {
  const named = String(metadata?.annotations?.[SAFE_TO_EVICT] ?? "").split(",");
  return (spec.volumes ?? []).some(
    ({ name, emptyDir, hostPath }: Any) => (emptyDir ?? hostPath) && !named.includes(name),
  );
}

const EMPTY = { emptyDir: {} };
const WRITTEN = [undefined, "", "scratch", "scratch, cache", ",", "scratch,cache"];

for (const written of WRITTEN)
  for (const sidecar of ["native", "ordinary"] as const)
    test(`an injected pod is as evictable as it was, and the annotation as it was afterwards: ${JSON.stringify(written)}, ${sidecar}`, () => {
      const annotations = {
        "sallyport.dev/ca-bundle": "corporate-ca",
        ...(written !== undefined && { [SAFE_TO_EVICT]: written }),
      };
      for (const volumes of [[], [{ name: "scratch", ...EMPTY }], [{ name: "cache", ...EMPTY }]]) {
        const pod = podOf({ volumes }, { annotations });
        const injected = admitted(pod, {}, { sidecar });
        assert.equal(blocksEviction(injected), blocksEviction(pod));
        assert.deepEqual(eject(injected), pod);
      }
    });

test("a local volume of the sidecar's is named beside the author's, and taken out without a trace", () => {
  const ours = [
    { name: "sallyport-state", emptyDir: {} },
    { name: "sallyport-config", configMap: { name: "c" } },
    { name: "sallyport-node", hostPath: { path: "/run" } },
  ];
  for (const written of WRITTEN) {
    const before = { team: "a", ...(written !== undefined && { [SAFE_TO_EVICT]: written }) };
    const after = { ...before, ...safeToEvict(written, ours) };
    for (const name of ["sallyport-state", "sallyport-node"])
      assert.equal(
        blocksEviction({
          metadata: { annotations: after },
          spec: { volumes: [{ name, ...EMPTY }] },
        }),
        false,
      );
    const ofAuthor = { spec: { volumes: [{ name: "scratch", ...EMPTY }] } };
    assert.equal(
      blocksEviction({ ...ofAuthor, metadata: { annotations: after } }),
      blocksEviction({ ...ofAuthor, metadata: { annotations: before } }),
    );
    assert.deepEqual(withoutSafeToEvict(after), before);
    const addedLater = { ...after, [SAFE_TO_EVICT]: `${after[SAFE_TO_EVICT]},later` };
    assert.match(
      withoutSafeToEvict(addedLater)[SAFE_TO_EVICT] as string,
      /^(?!.*sallyport).*later$/,
    );
  }
});

test("where the sidecar has no local volume, nothing is written", () => {
  assert.equal(safeToEvict("scratch", [{ name: "sallyport-ca-bundle", configMap: {} }]), undefined);
});
