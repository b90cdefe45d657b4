import assert from "node:assert/strict";
import { test } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { askSidecars } from "@sallyport/cli/check/sidecars";
import { podOf, restOf } from "../dashboard/bed.ts";

test("however many sidecars of a namespace are asked, what decides about them is read once", async () => {
  let read = 0;
  const around = async () => {
    read += 1;
    const nothing = { value: { usable: [], unusable: [] } };
    return { namespaceLabels: {}, rules: nothing, boundaries: nothing, defaultMode: undefined };
  };
  // None of them runs: each is asked, and none answers.
  const pods = Array.from({ length: 40 }, (_, i) => ({ ...podOf("shop", `web-${i}`), status: {} }));
  const rest = { ...restOf({}), get: async () => ({}) };
  const asked = await askSidecars(
    { rest, config: new KubeConfig() },
    pods.map((pod) => ({ pod, around })),
    40,
  );
  assert.match(asked.findings[0]?.message ?? "", /^40 of 40 sidecars could not be asked/);
  assert.equal(read, 1);
});
