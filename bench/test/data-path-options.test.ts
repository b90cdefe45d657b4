import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "../src/data-path/options.ts";

const parsed = (...argv: string[]) => {
  const options = parseOptions(argv);
  if (options === "help" || options instanceof Error) assert.fail(String(options));
  return options;
};

test("without a word everything is measured of everybody, five times", () => {
  const { only, groups, runs, quick } = parsed();
  assert.equal(only.length, 9);
  assert.deepEqual(groups, ["start", "memory", "bulk", "short", "asking", "keepalive"]);
  assert.deepEqual([runs, quick], [5, false]);
});

test("a quick run is one run, unless another number is told", () => {
  assert.equal(parsed("--quick").runs, 1);
  assert.equal(parsed("--quick", "--runs", "3").runs, 3);
});

test("what is chosen is measured in the usual order", () => {
  const { only, groups } = parsed("--only", "envoy, sallyport", "--metrics", "short,bulk");
  assert.deepEqual(only, ["envoy", "sallyport"]);
  assert.deepEqual(groups, ["bulk", "short"]);
});

test("every mistake is said at once, with the option it is in", () => {
  const error = parseOptions(["--only", "traefik", "--metrics", "luck", "--runs", "1.5"]);
  assert.ok(error instanceof Error);
  const lines = error.message.split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? "", /^--only: "traefik" is none of direct, sallyport/);
  assert.match(lines[1] ?? "", /^--metrics: "luck"/);
  assert.match(lines[2] ?? "", /^--runs: "1\.5"/);
});

test("an option that is none is refused with a hint", () => {
  const error = parseOptions(["--fast"]);
  assert.ok(error instanceof Error);
  assert.match(error.message, /--fast.*see --help/s);
});
