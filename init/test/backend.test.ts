import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type BackendKind, inOrderOfUse, kindOf } from "../src/backend.ts";
import { parseSaved } from "../src/saved.ts";

const EMPTY = "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
const OURS =
  "*nat\n:OUTPUT ACCEPT [0:0]\n:SALLYPORT_OUTPUT - [0:0]\n-A OUTPUT -p tcp -j SALLYPORT_OUTPUT\n";
const OTHERS = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j RETURN\nCOMMIT\n";

describe("the backend that is in use is used", () => {
  for (const [what, nft, legacy, first] of [
    ["nothing in either", "", "", "nft"],
    ["empty chains of the kernel's in legacy", "", EMPTY, "nft"],
    ["other people's rules in legacy", "", OTHERS, "legacy"],
    ["other people's rules in both", OTHERS, OTHERS, "nft"],
    ["our rules in legacy", "", OURS, "legacy"],
    ["our rules in legacy, others' in nft", OTHERS, OURS, "legacy"],
    [
      "our rules in both, others' in legacy",
      OURS,
      OURS + OTHERS.replace("nat", "filter"),
      "legacy",
    ],
    ["our rules in both", OURS, OURS, "nft"],
  ] as const satisfies readonly (readonly [string, string, string, BackendKind])[])
    test(`${what}: ${first}`, () => {
      const order = inOrderOfUse([
        { kind: "legacy", saved: parseSaved(legacy) },
        { kind: "nft", saved: parseSaved(nft) },
      ]);
      assert.equal(order[0]?.kind, first);
    });
});

for (const [version, kind] of [
  ["iptables v1.8.9 (nf_tables)\n", "nft"],
  ["iptables-restore v1.8.9 (legacy)\n", "legacy"],
  ["iptables v1.6.1\n", "legacy"],
] as const)
  test(`${version.trim()} is ${kind}`, () => assert.equal(kindOf(version), kind));
