import assert from "node:assert/strict";
import { test } from "node:test";
import { readDump } from "@sallyport/cli/fleet/in-force";
import { NoAnswer } from "@sallyport/cli/kubernetes/access";
import { SidecarProcess } from "../../../proxy/test/support/sidecar-process.ts";

test("what a real sidecar tells of its policy is understood", async (t) => {
  const sidecar = await SidecarProcess.start(t, {
    config: {
      policy: {
        mode: "enforce",
        rules: [
          {
            ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
            metadata: { name: "inside" },
            spec: { to: [{ cidrs: ["10.20.0.0/16"], ports: [{ port: 5432, protocol: "tcp" }] }] },
          },
        ],
      },
    },
  });
  const dump = await (await sidecar.get("/config_dump")).json();
  const { snapshot, control, revision } = readDump(dump, "web");
  assert.deepEqual([snapshot?.mode, control, revision], ["enforce", undefined, undefined]);
  assert.deepEqual(
    snapshot?.rules.map(({ rule }) => rule),
    ["default/inside"],
  );
});

const CLUSTER = {
  ...{ ranges: ["nowhere"], nodes: [], endpoints: [], domain: "cluster.local" },
  ...{ externalNames: [], leadingOut: [] },
};
const EMPTY = {
  ...{ schema: 1, mode: "enforce", namespace: "shop", cluster: CLUSTER, resolvers: [] },
  ...{ rules: [], baseline: [], deny: [], ceilings: [] },
};

for (const [what, dump] of [
  ["no policy at all", {}],
  ["a range that is none", { policy: { version: 1, applied: "now", snapshot: EMPTY } }],
  ["another schema", { policy: { version: 1, applied: "now", snapshot: { schema: 99 } } }],
] as const)
  test(`${what} is told, with what to do`, () => {
    assert.throws(
      () => readDump(dump, "web"),
      (error) =>
        error instanceof NoAnswer && /use the command of the sidecar's version/.test(error.message),
    );
  });
