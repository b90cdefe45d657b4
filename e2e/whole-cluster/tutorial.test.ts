import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { givenCluster, lacking } from "./support/given.ts";
import { kubectl, list } from "./support/kubectl.ts";
import { type Step, sections, unkept } from "./support/tutorial.ts";
import { Terminal } from "./support/typed.ts";
import { until } from "./support/until.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();

let terminal: Terminal;
before(async () => {
  if (skip) return;
  await clear();
  terminal = new Terminal(givenCluster().kubeconfig);
});
after(async () => {
  if (skip) return;
  await terminal[Symbol.asyncDispose]();
  await clear();
});

async function clear(): Promise<void> {
  await kubectl("delete", "egressboundary/bakery", "--ignore-not-found");
  await kubectl("delete", "namespace/bakery", "--ignore-not-found");
}

/** Which pod it is, and how often its containers were started again. */
async function app(): Promise<unknown> {
  const [pod, ...others] = await list<V1Pod>("bakery", "pods", "app=till");
  assert.ok(pod && others.length === 0);
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const restarts = [...initContainerStatuses, ...containerStatuses].map(
    (each) => each.restartCount,
  );
  return [pod.metadata?.uid, restarts];
}

/** What comes a moment later is looked at again, as somebody would who reads: by the last command. */
async function follow({ commands, promised }: Step): Promise<void> {
  const printed: string[] = [];
  for (const command of commands) printed.push(await terminal.type(command));
  let missing = unkept(promised, printed.join(""));
  await until(
    () => `${commands.at(-1)}\nprinted:\n${printed.join("")}\nwhich lacks:\n${missing.join("\n")}`,
    async () => {
      if (missing.length === 0) return true;
      printed.push(await terminal.type(commands.at(-1) ?? ""));
      missing = unkept(promised, printed.join(""));
      return missing.length === 0;
    },
    30,
  );
}

const story = skip ? [] : sections();
let atFirst: unknown;
for (const { heading, steps } of story)
  test(`the tutorial: ${heading}`, { skip }, async () => {
    for (const step of steps) await follow(step);
    if (heading === "An app") atFirst = await app();
    // Whatever rules came and went: the same pod, and nothing in it was started again.
    else if (atFirst && heading !== "Clean up") assert.deepEqual(await app(), atFirst);
  });
