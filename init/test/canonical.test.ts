import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonical, targetOf } from "../src/canonical.ts";

describe("rules that mean the same have one spelling", () => {
  for (const [a, b] of [
    ["-d 192.0.2.1 -j RETURN", "-d 192.0.2.1/32 -j RETURN"],
    ["-d ::1.2.3.4/128 -j RETURN", "-d ::102:304/128 -j RETURN"],
    ["-d 2001:DB8::/32 -j RETURN", "-d 2001:db8:0:0::/32 -j RETURN"],
    [
      "-p icmpv6 -m icmp6 --icmpv6-type 135 -j RETURN",
      "-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN",
    ],
    ["-p tcp -m tcp --dport 22 -j RETURN", "-p tcp --dport 22 -j RETURN"],
    ["-p tcp -d 192.0.2.0/24 -j RETURN", "-d 192.0.2.0/24 -p tcp -j RETURN"],
  ] as const)
    test(`${a} is ${b}`, () => assert.equal(canonical(a), canonical(b)));
});

describe("rules that do not mean the same have two", () => {
  for (const [a, b] of [
    ["-d 192.0.2.1 -j RETURN", "! -d 192.0.2.1 -j RETURN"],
    ["-d 192.0.2.1 -j RETURN", "-s 192.0.2.1 -j RETURN"],
    ["-p tcp -m tcp --dport 22 -j RETURN", "-p udp -m udp --dport 22 -j RETURN"],
    ["-p tcp -j RETURN", "! -p tcp -j RETURN"],
    ["-p tcp -j RETURN", "-p tcp -m socket -j RETURN"],
    ["-p tcp -j RETURN", "-p tcp -g RETURN"],
    ['-m comment --comment "a b" -j RETURN', '-m comment --comment "a c" -j RETURN'],
  ] as const)
    test(`${a} is not ${b}`, () => assert.notEqual(canonical(a), canonical(b)));
});

test("a target inside a comment is no target", () => {
  assert.equal(targetOf('-m comment --comment "x -j SALLYPORT_OUTPUT" -j FOREIGN'), "FOREIGN");
  assert.equal(
    targetOf('-m comment --comment "quoted \\" -j SALLYPORT_OUTPUT" -j FOREIGN'),
    "FOREIGN",
  );
});
