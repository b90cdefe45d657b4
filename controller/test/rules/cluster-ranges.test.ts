import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clusterRanges,
  MOST_SINGLE_ADDRESSES,
  type RangeSources,
} from "../../src/rules/cluster-ranges.ts";
import { pod, service } from "./plain.ts";

const NOTHING: RangeSources = { given: [], serviceRanges: [], nodes: [], pods: [], services: [] };

const cases: readonly [
  what: string,
  sources: Partial<RangeSources>,
  ranges: readonly string[],
  misses?: readonly RegExp[],
][] = [
  ["nothing is known", {}, []],
  ["what is given", { given: ["10.0.0.0/8", "fd00::/8"] }, ["10.0.0.0/8", "fd00::/8"]],
  [
    "ServiceCIDRs of both families",
    { serviceRanges: [{ ranges: ["10.96.0.0/16", "fd00:1::/112"] }] },
    ["10.96.0.0/16", "fd00:1::/112"],
  ],
  [
    "the nodes' pod ranges, side by side",
    { nodes: [0, 1, 2, 3].map((i) => ({ podRanges: [`10.244.${i}.0/24`], addresses: [] })) },
    ["10.244.0.0/22"],
  ],
  [
    "pods inside",
    { given: ["10.244.0.0/16"], pods: [pod("a", ["10.244.7.7"])] },
    ["10.244.0.0/16"],
  ],
  [
    "pods outside, by themselves",
    {
      given: ["10.244.0.0/16"],
      pods: [pod("b", ["192.168.1.2"]), pod("a", ["192.168.1.1", "fd00::1"])],
    },
    ["10.244.0.0/16", "192.168.1.1/32", "192.168.1.2/32", "fd00::1/128"],
    [
      /addresses of running pods .*: 3, shop\/a has 192\.168\.1\.1 for instance: say the range in clusterCidrs/,
    ],
  ],
  [
    "a pod that has ended has given its address back",
    { pods: [pod("a", ["192.168.1.1"], { hasEnded: true })] },
    [],
  ],
  ["what is no address is nowhere", { pods: [pod("a", ["", "1.2.3", "010.0.0.1"])] }, []],
  [
    "Services by themselves where nothing says their range: no miss",
    { given: ["10.244.0.0/16"], services: [service("db", ["10.0.0.7", "fd00::7"])] },
    ["10.244.0.0/16", "10.0.0.7/32", "fd00::7/128"],
  ],
  [
    "a Service outside of what ServiceCIDRs say",
    { serviceRanges: [{ ranges: ["10.96.0.0/16"] }], services: [service("db", ["10.97.0.7"])] },
    ["10.96.0.0/16", "10.97.0.7/32"],
    [/addresses of Services .*shop\/db has 10\.97\.0\.7/],
  ],
  [
    "a Service outside of what is given, where another is inside",
    {
      given: ["10.96.0.0/16"],
      services: [service("web", ["10.96.0.1"]), service("db", ["10.97.0.7"])],
    },
    ["10.96.0.0/16", "10.97.0.7/32"],
    [/addresses of Services/],
  ],
];

for (const [what, sources, ranges, misses = []] of cases)
  test(`ranges: ${what}`, () => {
    const found = clusterRanges({ ...NOTHING, ...sources });
    assert.deepEqual(found.ranges, ranges);
    assert.equal(found.misses.length, misses.length, JSON.stringify(found.misses));
    for (const [i, miss] of misses.entries()) assert.match(found.misses[i]?.text ?? "", miss);
  });

test("ranges: of more single addresses than a snapshot is to hold, how many do not count is told", () => {
  const pods = Array.from({ length: MOST_SINGLE_ADDRESSES + 5 }, (_, i) =>
    pod(`pod-${i}`, [`192.168.${i >> 8}.${i & 255}`]),
  );
  const { ranges, misses } = clusterRanges({ ...NOTHING, pods });
  assert.equal(ranges.length, MOST_SINGLE_ADDRESSES);
  assert.match(
    misses[0]?.text ?? "",
    /2000 of them count as the cluster's by themselves, 5 do not/,
  );
});
