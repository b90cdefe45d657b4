import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { understand } from "../src/skew.ts";
import { areNeighbours } from "../src/version.ts";

const Config = z.strictObject({
  madeBy: z.string().optional(),
  limits: z.strictObject({ connections: z.int().default(1) }).prefault({}),
  policy: z.strictObject({ mode: z.string() }).optional(),
});
const read = (value: unknown) => understand(Config, value, ["policy"], "1.4.2");

for (const [a, b, neighbours] of [
  ["0.1.0", "0.1.9", true],
  ["0.1.0", "0.2.0", true],
  ["0.3.1-rc.1", "0.2.0", true],
  ["0.1.0", "0.3.0", false],
  ["0.9.0", "1.0.0", false],
  ["1.10.0", "1.9.0", true],
  ["", "0.1.0", false],
  ["latest", "0.1.0", false],
] as const)
  test(`${a || "nothing"} and ${b} are ${neighbours ? "" : "not "}within one minor version of each other`, () => {
    assert.equal(areNeighbours(a, b), neighbours);
    assert.equal(areNeighbours(b, a), neighbours);
  });

for (const [what, madeBy] of [
  ["the next minor version", "1.5.0"],
  ["the last one", "1.3.9"],
] as const)
  test(`of ${what}, keys that mean nothing here are left out and told, at any depth`, () => {
    const told = read({ madeBy, new: 1, limits: { connections: 5, bytes: 9 } });
    assert.deepEqual(told, {
      data: { madeBy, limits: { connections: 5 } },
      ignored: ["limits.bytes", "new"],
    });
  });

for (const [what, value] of [
  ["this very version", { madeBy: "1.4.2", new: 1 }],
  ["a version two minors away", { madeBy: "1.6.0", new: 1 }],
  ["nobody that is named", { new: 1 }],
  ["the next minor version, in its policy", { madeBy: "1.5.0", policy: { mode: "x", deny: [] } }],
  ["the next minor version, beside a mistake", { madeBy: "1.5.0", new: 1, limits: 7 }],
] as const)
  test(`an unknown key of ${what} is a mistake`, () => {
    assert.ok("error" in read(value));
  });
