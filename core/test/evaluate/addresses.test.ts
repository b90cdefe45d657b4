import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseCidr } from "../../src/address.ts";
import { evaluate } from "../../src/evaluate.ts";
import { SPECIAL_RANGES } from "../../src/special.ts";
import { answersOf, attemptOf, inWords, policyOf, table, to } from "../cases.ts";

const PUBLIC = "8.8.8.1";

table("a range permits the addresses in it", { rules: [to("8.8.8.0/24 443-445 tcp")] }, {}, [
  [`${PUBLIC}:443`, `allowed.rule → ${PUBLIC}`],
  [`${PUBLIC}:445`, `allowed.rule → ${PUBLIC}`],
  [`${PUBLIC}:446`, "denied.no_rule"],
  [`${PUBLIC}:442`, "denied.no_rule"],
  ["8.8.9.1:443", "denied.no_rule"],
  [`${PUBLIC}:443 sni evil.test`, `allowed.rule → ${PUBLIC}`, "whatever is spoken"],
  [`${PUBLIC}:443 malformed two server names`, `allowed.rule → ${PUBLIC}`],
  [`[::ffff:8.8.8.1]:443`, "allowed.rule → ::ffff:8.8.8.1", "a mapped address is its IPv4 one"],
  ["[64:ff9b::808:801]:443", "allowed.rule → 64:ff9b::808:801", "and so is one of NAT64"],
  ["[2002:808:801::1]:443", "allowed.rule → 2002:808:801::1", "and one of 6to4"],
  ["[64:ff9b::808:901]:443", "denied.no_rule"],
]);

table("a rule's mapped range is its IPv4 one", { rules: [to("::ffff:8.8.8.0/120 443 tcp")] }, {}, [
  [`${PUBLIC}:443`, `allowed.rule → ${PUBLIC}`],
]);

const everything = { rules: [to("0.0.0.0/0,::/0 1-65535 tcp")] };
table("0.0.0.0/0 and ::/0 are the public internet", everything, {}, [
  [`${PUBLIC}:1`, `allowed.rule → ${PUBLIC}`],
  ["[2600::1]:65535", "allowed.rule → 2600::1"],
  ["[64:ff9b::a00:1]:443", "denied.no_rule", "10.0.0.1 behind NAT64"],
  ["[2002:a9fe:a9fe::1]:80", "denied.no_rule", "169.254.169.254 behind 6to4"],
  ["[::ffff:0:a00:1]:443", "denied.no_rule", "10.0.0.1, IPv4-translated"],
  ["[::a00:1]:443", "denied.no_rule", "10.0.0.1, IPv4-compatible"],
]);
table("only its own /0 reaches a family", { rules: [to("0.0.0.0/0 443 tcp")] }, {}, [
  ["[2600::1]:443", "denied.no_rule"],
]);

for (const [range, what] of SPECIAL_RANGES) {
  const cidr = parseCidr(range);
  assert.ok(!(cidr instanceof Error));
  const bits = cidr.family === 4 ? 32 : 128;
  const last = cidr.base + (1n << BigInt(bits - cidr.prefix)) - 1n;
  const ends = [cidr.base, last].map((value) => formatAddress({ family: cidr.family, value }));

  test(`${range}, ${what}, is reached by no wider range, no name alone, and its own range`, () => {
    const wider = parseCidrAround(cidr.base, cidr.prefix, bits, cidr.family);
    const named = policyOf({ rules: [to("a.test 443 tls")] });
    for (const address of ends) {
      const at = address.includes(":") ? `[${address}]:443` : `${address}:443`;
      for (const cidrs of [["0.0.0.0/0", "::/0"], wider])
        assert.equal(
          inWords(evaluate(policyOf({ rules: [to(`${cidrs.join(",")} 443 tcp`)] }), attemptOf(at))),
          "denied.no_rule",
        );
      const answers = answersOf(named, { "a.test": [address] });
      assert.equal(
        inWords(evaluate(named, attemptOf(`${at} sni a.test`, answers))),
        "denied.private_address",
      );
      const single = `${address}/${bits}`;
      for (const rule of [`${single} 443 tcp`, `a.test,${single} 443 tls`]) {
        const decision = evaluate(
          policyOf({ rules: [to(rule)] }),
          attemptOf(`${at} sni a.test`, answers),
        );
        assert.equal(inWords(decision), `allowed.rule → ${address}`);
      }
    }
    // The end of a range may lie in a narrower special one; somewhere the range itself decides.
    const own = policyOf({ rules: [to(`${range} 443 tcp`)] });
    const reached = [
      ...ends,
      formatAddress({ family: cidr.family, value: last - (last - cidr.base) / 3n }),
    ]
      .map((address) => (address.includes(":") ? `[${address}]:443` : `${address}:443`))
      .filter((at) => evaluate(own, attemptOf(at)).verdict === "allow");
    assert.ok(reached.length > 0);
  });
}

function parseCidrAround(base: bigint, prefix: number, bits: number, family: 4 | 6): string[] {
  const shift = BigInt(bits - prefix + 1);
  return [`${formatAddress({ family, value: (base >> shift) << shift })}/${prefix - 1}`];
}

table(
  "a range reaches what it lies in",
  {
    rules: [
      to("10.0.0.0/8 1 tcp"),
      to("10.20.0.0/16 2 tcp"),
      to("8.0.0.0/5 3 tcp"),
      to("169.254.0.0/16 4 tcp"),
      to("169.254.169.254/32 5 tcp"),
    ],
    cluster: { nodes: ["10.9.0.0/16"] },
  },
  {},
  [
    ["10.20.0.1:1", "allowed.rule → 10.20.0.1"],
    ["10.20.0.1:2", "allowed.rule → 10.20.0.1"],
    ["10.20.0.1:3", "denied.no_rule", "8.0.0.0/5 is wider than 10.0.0.0/8"],
    ["8.8.8.8:3", "allowed.rule → 8.8.8.8"],
    ["169.254.1.1:4", "allowed.rule → 169.254.1.1"],
    ["169.254.169.254:4", "denied.no_rule", "metadata is reached by its own address alone"],
    ["169.254.169.254:5", "allowed.rule → 169.254.169.254"],
    ["10.9.0.1:1", "denied.no_rule", "a node is reached by a range inside the nodes'"],
    ["[64:ff9b::a14:1]:1", "allowed.rule → 64:ff9b::a14:1", "by what the address stands for"],
  ],
);

const cluster = {
  ranges: ["10.96.0.0/12", "fd00:10::/64"],
  endpoints: [{ address: "198.41.0.4", port: 6443 }],
};
table("the cluster is allowed on every port", { cluster }, {}, [
  ["10.96.0.1:1", "allowed.cluster → 10.96.0.1"],
  ["[fd00:10::1]:443", "allowed.cluster → fd00:10::1"],
  ["198.41.0.4:6443", "allowed.cluster → 198.41.0.4"],
  ["198.41.0.4:443", "denied.no_rule", "an endpoint is one port"],
  ["[::c629:4]:6443", "denied.no_rule", "an IPv6 address of the same number"],
  ["10.96.0.10:53", "allowed.cluster → 10.96.0.10", "a resolver"],
  ["8.8.8.8:53", "denied.no_rule", "a resolver of the app's choosing"],
  ["[64:ff9b::a60:1]:443", "denied.no_rule", "NAT64 leads out of the cluster"],
  ["[2002:a60:1::1]:443", "denied.no_rule", "and so does 6to4"],
]);
table("a resolver outside the cluster's ranges is allowed on its port", {}, {}, [
  ["10.96.0.10:53", "allowed.cluster → 10.96.0.10"],
  ["10.96.0.10:80", "denied.no_rule"],
]);
table(
  "no name leads into the cluster by accident",
  {
    rules: [to("a.test 443 tls"), to("8.8.8.0/24 443 tcp")],
    cluster,
  },
  { "a.test": ["10.96.0.1"] },
  [["9.9.9.9:443 sni a.test", "denied.private_address"]],
);
