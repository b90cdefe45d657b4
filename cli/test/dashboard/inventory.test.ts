import assert from "node:assert/strict";
import { test } from "node:test";
import { InventoryReader } from "@sallyport/cli/dashboard/inventory";
import { ApiRefusal } from "@sallyport/cli/kubernetes/rest";
import { type Lists, podOf, restOf } from "./bed.ts";

const owner = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: "apps/v1", kind, name, uid: name, controller: true }],
});

test("whose a pod is that could not be read is told each time, and known as soon as it can be read", async () => {
  const { metadata, ...pod } = podOf("shop", "web-a1");
  const lists: Lists = {
    "/api/v1/pods": [
      { ...pod, metadata: { ...Object(metadata), ...owner("ReplicaSet", "web-a") } },
    ],
    "/apis/apps/v1/replicasets": new ApiRefusal(500, "etcd is away"),
  };
  const reader = new InventoryReader(restOf(lists), undefined);
  const read = async () => {
    const { pods, problems } = await reader.read();
    return [pods[0]?.owner.name, problems.filter((each) => each.includes("replicasets"))];
  };
  for (const _ of [1, 2])
    assert.deepEqual(await read(), ["web-a", ["cannot list replicasets: etcd is away"]]);
  lists["/apis/apps/v1/replicasets"] = [
    {
      metadata: { namespace: "shop", name: "web-a", uid: "web-a", ...owner("Deployment", "web") },
    },
  ];
  assert.deepEqual(await read(), ["web", []]);
});
