import assert from "node:assert/strict";
import { test } from "node:test";
import { hostAsked, hostOf } from "@sallyport/cli/dashboard/pod-hosts";
import fc from "fast-check";

test("a pod's host says which it is", () => {
  assert.equal(hostOf("shop", "web-7d4b9-x1"), "web-7d4b9-x1.shop.localhost");
  assert.equal(hostOf("shop", "web.example"), "web.example.shop.localhost");
});

test("every pod has a host of its own that a browser takes, however long its name", () => {
  const letters = [..."abcdefghij0123456789"];
  const label = (max: number) =>
    fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: max });
  const pod = fc.array(label(120), { minLength: 1, maxLength: 2 }).map((all) => all.join("."));
  const place = fc.tuple(label(63), pod);
  fc.assert(
    fc.property(place, place, (a, b) => {
      const [hostA, hostB] = [hostOf(...a), hostOf(...b)];
      assert.ok(hostA.length <= 253);
      assert.ok(hostA.split(".").every((each) => each.length <= 63));
      assert.equal(new URL(`http://${hostA}:1/`).hostname, hostA);
      assert.equal(hostA === hostB, a.join("/") === b.join("/"));
    }),
  );
});

for (const [header, host] of [
  ["localhost:1500", "localhost"],
  ["WEB.Shop.localhost:1500", "web.shop.localhost"],
  ["[::1]:1500", "[::1]"],
  ["localhost", undefined],
  ["localhost:15000", undefined],
  ["localhost:1500x", undefined],
  ["a:b:1500", undefined],
  [undefined, undefined],
] as const)
  test(`Host: ${header} is ${host ?? "for nobody here"}`, () => {
    assert.equal(hostAsked(header, 1500), host);
  });
