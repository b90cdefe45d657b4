import assert from "node:assert/strict";
import { test } from "node:test";
import { catchUp } from "../../src/rules/catch-up.ts";

/** A collection that is known up to `version`, whose next list says that it is at `listed`. */
function followed(what: string, version: bigint | undefined, listed: bigint | undefined) {
  const collection = { version };
  let lists = 0;
  const relist = async () => {
    lists++;
    collection.version = listed;
  };
  return {
    what,
    collection,
    follower: { trouble: undefined, isMissing: false, relist },
    lists: () => lists,
  };
}

function sought(what: string, version: bigint | undefined, found: bigint | undefined) {
  let now = version;
  let asked = 0;
  const find = async () => {
    asked++;
    now = found;
  };
  return { what, version: () => now, find, asked: () => asked };
}

for (const [what, basis, known, listed, lists, rewound] of [
  ["nothing is asked for", {}, 5n, 9n, 0, false],
  ["as much is known", { rules: "5" }, 5n, 9n, 0, false],
  ["more is known", { rules: "4" }, 5n, 9n, 0, false],
  ["less is known: it is listed", { rules: "7" }, 5n, 9n, 1, false],
  ["texts are not compared as texts", { rules: "10" }, 9n, 11n, 1, false],
  ["the list is lower still: the API server has gone back", { rules: "12" }, 5n, 9n, 1, true],
  ["the kind is there no more", { rules: "7" }, undefined, undefined, 1, true],
  ["a kind that is not followed here", { rules: "4", later: "1" }, 5n, 9n, 0, true],
] as const)
  test(`catching up: ${what}`, async () => {
    const rules = followed("rules", known, listed);
    const found = await catchUp(basis, [rules], []);
    assert.deepEqual(found, { rewound });
    assert.equal(rules.lists(), lists);
  });

for (const [what, basis, known, found, asked, rewound] of [
  ["a pod that is known is not asked for", {}, 5n, 9n, 0, false],
  ["a pod that is not known is", {}, undefined, 9n, 1, false],
  ["one that has changed since is", { pod: "7" }, 5n, 9n, 1, false],
  [
    "one that is not there is no sign of a rewound API server by itself",
    {},
    undefined,
    undefined,
    1,
    false,
  ],
  ["one that is older there than the sidecar knows it", { pod: "7" }, 5n, 5n, 1, true],
] as const)
  test(`catching up: ${what}`, async () => {
    const pod = sought("pod", known, found);
    assert.deepEqual(await catchUp(basis, [], [pod]), { rewound });
    assert.equal(pod.asked(), asked);
  });

test("catching up: what the watch brings by itself is not listed", async () => {
  const rules = followed("rules", 5n, 9n);
  setTimeout(() => {
    rules.collection.version = 7n;
  }, 60);
  assert.deepEqual(await catchUp({ rules: "7" }, [rules], []), { rewound: false });
  assert.equal(rules.lists(), 0);
});
