import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Collection } from "../../src/rules/collection.ts";

type Told = [before: string | undefined, after: string | undefined];

function collection() {
  const told: Told[] = [];
  const items = new Collection<string>((before, after) => told.push([before, after]));
  const list = (version: bigint | undefined, ...all: [string, bigint, string][]) =>
    items.replace(new Map(all.map(([key, own, value]) => [key, { version: own, value }])), version);
  return { items, told, list };
}

test("a list tells what is new, what is another and what is gone, and nothing of what is the same", () => {
  const { items, told, list } = collection();
  assert.equal(items.isListed, false);
  list(10n, ["a", 1n, "a1"], ["b", 2n, "b2"], ["c", 3n, "c3"]);
  told.length = 0;
  list(20n, ["a", 1n, "a1"], ["b", 12n, "b12"], ["d", 13n, "d13"]);
  assert.deepEqual(told, [
    ["c3", undefined],
    ["b2", "b12"],
    [undefined, "d13"],
  ]);
  assert.equal(items.version, 20n);
});

test("what is written without a change moves the version of the object, and is not told", () => {
  const { items, told, list } = collection();
  list(10n, ["a", 1n, "a"]);
  told.length = 0;
  items.news("a", 11n, "a");
  assert.deepEqual(told, []);
  assert.equal(items.versionOf("a"), 11n);
  assert.equal(items.version, 11n);
});

test("news from before the list, or before what was asked for by itself, change nothing", () => {
  const { items, told, list } = collection();
  items.news("a", 5n, "before any list");
  list(10n);
  items.news("a", 9n, "a9");
  items.offer("a", 15n, "a15");
  items.news("a", 12n, "a12");
  items.news("a", 13n, undefined);
  assert.deepEqual(told, [[undefined, "a15"]]);
  items.news("a", 16n, undefined);
  assert.equal(items.get("a"), undefined);
});

test("an answer that was long under way brings nothing back that has been deleted", () => {
  const { items, list } = collection();
  list(10n, ["a", 5n, "a5"]);
  items.news("a", 12n, undefined);
  items.offer("a", 11n, "a11");
  assert.equal(items.get("a"), undefined);
});

test("a list that was made before an answer does not drop it", () => {
  const { items, list } = collection();
  list(10n);
  items.offer("a", 15n, "a15");
  list(12n);
  assert.equal(items.get("a"), "a15");
});

test("of an API server that has gone back everything is taken as it is there", () => {
  const { items, list } = collection();
  list(100n, ["a", 90n, "new"], ["b", 91n, "later"]);
  list(50n, ["a", 40n, "old"]);
  assert.equal(items.version, 50n);
  assert.equal(items.get("a"), "old");
  assert.equal(items.get("b"), undefined);
});

test("a kind that is not there is listed, without a version", () => {
  const { items, list } = collection();
  list(undefined);
  assert.equal(items.isListed, true);
  assert.equal(items.version, undefined);
});

test("whatever lists and answers come between, at the end of the news it is as the API server has it", () => {
  const event = fc.record({ key: fc.constantFrom("a", "b", "c"), deleted: fc.boolean() });
  // At each moment: an event is heard, a list is made, or one object is asked for.
  const step = fc.constantFrom("hear", "list", "ask a", "ask b");
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 30 }),
      fc.array(step, { maxLength: 60 }),
      (events, steps) => {
        const { items, list } = collection();
        list(0n);
        const at = (version: number) => {
          const state = new Map<string, [string, bigint, string]>();
          for (const [i, { key, deleted }] of events.slice(0, version).entries())
            if (deleted) state.delete(key);
            else state.set(key, [key, BigInt(i + 1), `${key}${i + 1}`]);
          return state;
        };
        let heard = 0;
        const hear = () => {
          const next = events[heard++];
          if (next)
            items.news(next.key, BigInt(heard), next.deleted ? undefined : `${next.key}${heard}`);
        };
        for (const what of steps) {
          // What is asked for is told as it is then, which the watch may not have reached.
          const now = Math.min(events.length, heard + 3);
          if (what === "hear") hear();
          else if (what === "list") {
            list(BigInt(now), ...at(now).values());
            // The watch that follows begins there.
            heard = now;
          } else {
            const found = at(now).get(what.slice(4));
            if (found) items.offer(...found);
          }
        }
        while (heard < events.length) hear();
        const expected = [...at(events.length).values()].map(([key, , value]) => [key, value]);
        const found = ["a", "b", "c"].flatMap((key) =>
          items.get(key) ? [[key, items.get(key)]] : [],
        );
        assert.deepEqual(found.sort(), expected.sort());
      },
    ),
  );
});
