import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { givenCluster, lacking as skip } from "./support/given.ts";
import { kubectl, list } from "./support/kubectl.ts";
import { commandsUnder, outputUnder } from "./support/quick-start.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { Terminal } from "./support/typed.ts";
import { until } from "./support/until.ts";

// "Install" and "Uninstall" are what `npm run e2e` itself types, before and after all tests.

let terminal: Terminal;
before(async () => {
  if (skip) return;
  await kubectl("delete", "namespace", "shop", "--ignore-not-found");
  terminal = new Terminal(givenCluster().kubeconfig);
});
after(async () => {
  if (skip) return;
  await terminal[Symbol.asyncDispose]();
  await kubectl("delete", "namespace", "shop", "--ignore-not-found", "--wait=false");
});

async function type(...lines: readonly string[]): Promise<string> {
  const printed: string[] = [];
  for (const line of lines) printed.push(await terminal.type(line));
  return printed.join("");
}

/** `name: value` → value, of what /stats says. */
const statsIn = (printed: string) =>
  new Map(
    [...printed.matchAll(/^(\S+): (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );

async function sidecars(): Promise<boolean[]> {
  const pods = await list<V1Pod>("shop", "pods", "app=web");
  return pods.filter(({ metadata }) => !metadata?.deletionTimestamp).map(hasSidecar);
}

test("the quick start's app runs", { skip }, async () => {
  await type(...commandsUnder("An app"));
  assert.deepEqual(await sidecars(), [false]);
});

test("the three commands: the Deployment rolls by itself, and its traffic is in /stats", {
  skip,
}, async () => {
  const commands = commandsUnder("Three commands");
  for (const command of [
    "kubectl label namespace shop sallyport.dev/injection=enabled",
    "kubectl annotate deployment web sallyport.dev/inject=true -n shop",
    "kubectl port-forward deploy/web 15000 -n shop &",
    "curl localhost:15000/stats",
  ])
    assert.ok(commands.includes(command), command);
  await type(...commands);
  assert.deepEqual(await sidecars(), [true]);

  // What the document shows, and counting: the app has hardly begun when the last command is typed.
  const promised = [...statsIn(outputUnder("Three commands").join("\n")).keys()];
  assert.ok(promised.length >= 3);
  await until("the traffic is in /stats", async () => {
    const stats = statsIn(await type("curl localhost:15000/stats"));
    return promised.every((name) => (stats.get(name) ?? 0) >= 3);
  });
  const logged = await type(...commands.filter((command) => command.includes(" logs ")));
  assert.match(logged, /"name":"kubernetes\.default"/);
});

test("sallyport check finds nothing wrong, and sallyport stats says what /stats does", {
  skip,
}, async () => {
  const [check = "", stats = ""] = commandsUnder("Is it well?");
  await type(check);
  assert.ok((statsIn(await type(stats)).get("egress.allowed.cluster") ?? 0) > 0);
});

test("without the annotation the Deployment rolls back", { skip }, async () => {
  const commands = commandsUnder("Take it back");
  const last = commands.pop();
  assert.equal(last, "kubectl delete namespace shop");
  await type(...commands);
  assert.deepEqual(await sidecars(), [false]);
  await type(last);
});
