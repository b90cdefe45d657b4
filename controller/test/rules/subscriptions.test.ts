import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "../../src/rules/policy-book.ts";
import { Subscriptions } from "../../src/rules/subscriptions.ts";

const pod = (namespace: string, name: string) => ({ namespace, name, uid: `${namespace}/${name}` });
const page = (revision: string, generation = 1): Page => ({
  content: {
    revision,
    json: "{}",
    origins: [{ kind: "EgressRule", namespace: "shop", name: "a", uid: "u", generation }],
  },
});

function bed() {
  const pages = new Map<string, Page>();
  const logged: string[] = [];
  const subscriptions = new Subscriptions(
    ({ uid }) => pages.get(uid),
    (_, message) => logged.push(message),
  );
  const told: string[] = [];
  const add = (namespace: string, name: string) =>
    subscriptions.add(pod(namespace, name), () => told.push(`${namespace}/${name}`));
  const later = async (...namespaces: string[]) => {
    told.length = 0;
    subscriptions.touch(namespaces.length > 0 ? namespaces : undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = subscriptions.listen(resolve);
    await promise;
    end();
    return told;
  };
  return { pages, subscriptions, add, later, logged };
}

test("only those are told whose revision, origins or reason have become others", async () => {
  const { pages, add, later } = bed();
  pages.set("shop/a", page("r1"));
  pages.set("shop/b", page("r1"));
  add("shop", "a");
  add("shop", "b");
  add("shop", "c");
  assert.deepEqual(await later("shop"), []);
  pages.set("shop/a", page("r1"));
  pages.set("shop/b", page("r2"));
  assert.deepEqual(await later("shop"), ["shop/b"]);
  pages.set("shop/a", page("r1", 2));
  pages.set("shop/c", { why: "not yet" });
  assert.deepEqual(await later("shop"), ["shop/a", "shop/c"]);
  pages.set("shop/c", { why: "not ever" });
  pages.delete("shop/b");
  assert.deepEqual(await later(), ["shop/b", "shop/c"]);
  assert.deepEqual(await later(), []);
});

test("who has ended it is told no more, and a mistake of one keeps nobody else from it", async () => {
  const { pages, subscriptions, add, later, logged } = bed();
  subscriptions.add(pod("shop", "a"), () => {
    throw new Error("oh");
  });
  const end = add("shop", "a");
  add("shop", "b");
  for (const name of ["shop/a", "shop/b"]) pages.set(name, page("r1"));
  assert.deepEqual(await later(), ["shop/a", "shop/b"]);
  assert.match(logged.join(), /oh/);
  end();
  for (const name of ["shop/a", "shop/b"]) pages.set(name, page("r2"));
  assert.deepEqual(await later(), ["shop/b"]);
});

test("what happens at once is told once, and who listens to everything hears of it", async () => {
  const { pages, subscriptions, add, later } = bed();
  let heard = 0;
  const end = subscriptions.listen(() => heard++);
  add("shop", "a");
  for (let i = 0; i < 100; i++) {
    pages.set("shop/a", page(`r${i}`));
    subscriptions.touch(["shop"]);
  }
  assert.deepEqual(await later("shop"), ["shop/a"]);
  assert.equal(heard, 1);
  end();
  await later("shop");
  assert.equal(heard, 1);
});
