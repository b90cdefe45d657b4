import assert from "node:assert/strict";
import { test } from "node:test";
import { sum } from "@sallyport/cli/policy/amount";
import { apply } from "@sallyport/cli/policy/applied";
import { splitLines } from "@sallyport/cli/policy/record-lines";
import type { Replayed } from "@sallyport/cli/policy/replay";
import { Tally } from "@sallyport/cli/policy/tally";
import { Cluster } from "@sallyport/core/snapshot";
import fc from "fast-check";

async function* chunksOf(bytes: Buffer, sizes: readonly number[]) {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test("lines are the same however they are cut into chunks, also within a character", async () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\n\ufeff]/g, "é"));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(9)), async (lines, sizes) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
      const split = await collected(splitLines(chunksOf(bytes, sizes)));
      assert.deepEqual(split, lines);
    }),
    { seed: 7 },
  );
});

test("a line without end is not kept: it comes out empty, and the next one whole", async () => {
  async function* endless() {
    for (let i = 0; i < 65; i++) yield Buffer.alloc(65_536, "x");
    yield Buffer.from("\nnext\n");
    yield Buffer.alloc(200_000, "y");
  }
  const lines = await collected(splitLines(endless(), 100_000));
  assert.deepEqual(lines, ["", "next", ""]);
});

test("however many destinations there are, the tally keeps so many and counts the others", () => {
  const tally = new Tally(10);
  const replayed: Replayed = {
    change: "refused",
    verdict: { verdict: "deny", reason: "denied.no_rule" },
    isAudited: false,
    attempt: { address: "93.184.215.14", port: 443 },
    named: { name: "x", addresses: [] },
    applied: apply(
      { rules: [], boundaries: [], aliases: [] },
      { namespace: "shop", labels: {}, namespaceLabels: {} },
      { mode: "enforce", cluster: Cluster.parse({}) },
    ),
  };
  for (let i = 0; i < 100; i++)
    for (const port of [443, 443, 80])
      tally.add(
        {
          time: "2026-01-01T00:00:00.000Z",
          namespace: "shop",
          verdict: "allow",
          reason: "allowed.audit",
          name: `h${i}.example.com`,
          original_address: "93.184.215.14",
          original_port: port,
        },
        replayed,
        { namespace: "shop" },
      );
  assert.equal(tally.groups("refused").length, 10);
  assert.deepEqual(tally.judged.refused, { connections: 300, requests: 0 });
  assert.deepEqual(tally.beyond.refused, { connections: 285, requests: 0 });
  assert.deepEqual(sum(tally.groups("refused").map(({ amount }) => amount)), {
    ...{ connections: 15, requests: 0 },
  });
});
