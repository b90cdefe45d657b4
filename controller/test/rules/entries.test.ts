import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeEntry, sliceEntry } from "../../src/rules/entries.ts";

const metadata = { name: "it", namespace: "shop", uid: "1", resourceVersion: "1" };

for (const [what, types, expected] of [
  ["its internal addresses", ["InternalIP", "ExternalIP", "Hostname", "InternalIP"], ["0", "3"]],
  [
    "without any, the external ones: pods with its network have these",
    ["Hostname", "ExternalIP"],
    ["1"],
  ],
] as const)
  test(`a node's addresses: ${what}`, () => {
    const addresses = types.map((type, i) => ({ type, address: `${i}` }));
    assert.deepEqual(nodeEntry({ metadata, status: { addresses } }).addresses, expected);
  });

test("of a slice's endpoints, those that say to be pods are known by name", () => {
  const { endpoints } = sliceEntry({
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [
      { addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "web-1", namespace: "shop" } },
      { addresses: ["10.0.0.2"], targetRef: { kind: "Node", name: "node-1" } },
      { addresses: ["10.0.0.3"], conditions: { ready: false } },
    ],
  });
  assert.deepEqual(endpoints, [
    { address: "10.0.0.1", isReady: true, pod: "web-1" },
    { address: "10.0.0.2", isReady: true },
    { address: "10.0.0.3", isReady: false },
  ]);
});

test("a slice may say any number: what is no port is not kept", () => {
  const ports = [0, -1, 70_000, 443].map((port, i) => ({ name: `p${i}`, port, protocol: "TCP" }));
  const slice = sliceEntry({
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "web" } },
    ...{ addressType: "IPv4", ports: [...ports, { name: "any" }], endpoints: [] },
  });
  assert.deepEqual(slice.ports, [
    { name: "p3", port: 443 },
    { name: "any", port: undefined },
  ]);
});
