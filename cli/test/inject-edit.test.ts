import assert from "node:assert/strict";
import { test } from "node:test";
import { edit } from "@sallyport/cli/inject/edit";
import { manifestsOf } from "@sallyport/cli/inject/manifests";
import { block } from "@sallyport/cli/inject/render";
import type { JsonObject, PatchOperation } from "@sallyport/controller/admission/admission";
import { applyPatch, type Operation } from "rfc6902";

/** The text after the operations; what it must be read as is computed by another library. */
function edited(text: string, ...operations: PatchOperation[]): string | Error {
  const wanted = structuredClone(manifestsOf(text)[0]?.object) as JsonObject;
  applyPatch(wanted, structuredClone(operations) as Operation[]);
  return edit(text, operations, wanted);
}

const add = (path: string, value: unknown) => ({ op: "add", path, value }) as PatchOperation;
const replace = (path: string, value: unknown) =>
  ({ op: "replace", path, value }) as PatchOperation;
const remove = (path: string) => ({ op: "remove", path }) as PatchOperation;

for (const [what, text, operation, expected] of [
  ["a key goes after the last", "a: 1 # one\n# end\n", add("/b", 2), "a: 1 # one\nb: 2\n# end\n"],
  [
    "a map goes below its key",
    "m:\n  a: 1\nz: 1\n",
    add("/m/b", { c: [1], d: {} }),
    "m:\n  a: 1\n  b:\n    c:\n    - 1\n    d: {}\nz: 1\n",
  ],
  [
    "an entry goes above the comments of the one that it is put before",
    "l:\n# of a\n# too\n- a\n# of b\n- b\n",
    add("/l/1", "x"),
    "l:\n# of a\n# too\n- a\n- x\n# of b\n- b\n",
  ],
  [
    "an entry goes to the front",
    "l:\n  # of a\n  - a\n",
    add("/l/0", { x: 1 }),
    "l:\n  - x: 1\n  # of a\n  - a\n",
  ],
  ["an entry goes to the end", "l:\n- a # a\nz:\n", add("/l/1", "x"), "l:\n- a # a\n- x\nz:\n"],
  [
    "an entry goes after one that is empty",
    "l:\n-   # none\nz: 1\n",
    add("/l/1", 1),
    "l:\n-   # none\n- 1\nz: 1\n",
  ],
  [
    "an entry is replaced",
    "l:\n- a: 1\n  b: 2\n- c\n",
    replace("/l/0", { x: 1 }),
    "l:\n- x: 1\n- c\n",
  ],
  [
    "a value is replaced before its comment",
    "a: 1 # c\nb: 2\n",
    replace("/a", "x"),
    "a: x # c\nb: 2\n",
  ],
  ["a block scalar is replaced", "a: |\n  x\n  y\nb: 2\n", replace("/a", 1), "a: 1\nb: 2\n"],
  ["text becomes a map", "a: x # c\nb: 2\n", replace("/a", { k: 1 }), "a: # c\n  k: 1\nb: 2\n"],
  [
    "a map becomes text",
    "a: # c\n  y: 1\n  # d\n  z: 1\nb: 2\n",
    replace("/a", "x"),
    "a: x # c\nb: 2\n",
  ],
  ["a key is taken out", "a: 1\nb:\n  c: 1\n\nd: 1\n", remove("/b"), "a: 1\n\nd: 1\n"],
  [
    "the last entry leaves an empty list",
    "l: # c\n- a\nb: 1\n",
    remove("/l/0"),
    "l: [] # c\nb: 1\n",
  ],
  ["the last key leaves an empty map", "m:\n  a: 1\nb: 1\n", remove("/m/a"), "m: {}\nb: 1\n"],
  [
    "the first key of an entry leaves its place to the next",
    "l:\n- a: 1\n  b: 2\n- c\n",
    remove("/l/0/a"),
    "l:\n- b: 2\n- c\n",
  ],
  [
    "a key goes into braces",
    "m: {a: 1} # c\n",
    add("/m/b", { c: "d" }),
    'm: {a: 1, "b": {"c":"d"}} # c\n',
  ],
  ["an item goes into brackets", "l: [a, b]\n", add("/l/1", "x"), 'l: [a, "x", b]\n'],
  ["an item leaves brackets from the end", "l: [a, b ]\n", remove("/l/1"), "l: [a ]\n"],
  ["an item leaves brackets from the front", "l: [a,  b]\n", remove("/l/0"), "l: [b]\n"],
  ["an item in brackets is replaced", "l: [a, b]\n", replace("/l/1", 1), "l: [a, 1]\n"],
  [
    "what is added to nothing has lines of its own",
    "m: {}\nb: 1\n",
    add("/m/a", 1),
    "m:\n  a: 1\nb: 1\n",
  ],
  [
    "a pointer's escapes are undone",
    "m:\n  a: 1\n",
    add("/m/x~1y~0z", 1),
    "m:\n  a: 1\n  x/y~z: 1\n",
  ],
  ["a text without an end of line stays without", "a: 1", add("/b", 1), "a: 1\nb: 1"],
  [
    "an alias that is not concerned stays",
    "a: &x {y: 1}\nb: *x\n",
    add("/c", 1),
    "a: &x {y: 1}\nb: *x\nc: 1\n",
  ],
] as const)
  test(`in place: ${what}`, () => {
    assert.equal(edited(text, operation), expected);
  });

for (const [what, text, operation] of [
  ["an alias is not followed", "a: &x {y: 1}\nb: *x\n", add("/b/z", 1)],
  ["an anchor's copies are not changed with it", "a: &x\n  y: 1\nb: *x\n", add("/a/z", 1)],
  ["a merged key is not taken out", "a: &x {y: 1}\nb:\n  <<: *x\n  z: 1\n", remove("/b/y")],
  ["lists beside one another in a line are left", "l:\n- - a\n  - b\n", add("/l/0/0", "x")],
] as const)
  test(`told and not guessed: ${what}`, () => {
    const outcome = edited(text, operation);
    if (typeof outcome === "string") assert.deepEqual(manifestsOf(outcome)[0]?.object, "never");
    assert.ok(outcome instanceof Error);
    assert.match(
      outcome.message,
      /write (it|its aliases and merge keys) out|cannot be edited in place/,
    );
  });

test("manifests are read as kubectl reads them", () => {
  const text = "octal: 0644\nyes: yes\ntime: 12:30\ndate: 2001-01-01\nnone: ~\n";
  assert.deepEqual(manifestsOf(text)[0]?.object, {
    octal: 420,
    true: true,
    time: "12:30",
    date: "2001-01-01",
    none: null,
  });
});

test("text that some reader would take for something else is quoted", () => {
  const style = { indentSeq: false, newline: "\n" } as const;
  for (const text of ["yes", "on", "0644", "1e3", "null", "~", "12:30", "2001-01-01"]) {
    const [key, value] = block({ a: text }, style, "").trim().split(": ");
    assert.deepEqual([key, value], ["a", `"${text}"`]);
  }
});
