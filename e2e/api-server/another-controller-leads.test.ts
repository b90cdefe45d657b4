import assert from "node:assert/strict";
import { test } from "node:test";
import { apiServer, lacking } from "../cluster/given.ts";
import { type Installation, install, type Replica } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods, guarded } from "./pod-load.ts";
import { until } from "./until.ts";

const skip = lacking || lackingHelm();

/** Two replicas that serve: the one that leads, and the other. */
async function leaderAndOther(installation: Installation): Promise<[Replica, Replica]> {
  const leader = await installation.replica();
  await leader.line("leading");
  await guarded(installation);
  return [leader, await installation.replica()];
}

test("when the leader is killed, the other leads when its lease has run out, and not before", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const [leader, other] = await leaderAndOther(installation);
  const killed = performance.now();
  await leader.end("SIGKILL");
  // The lease's 15 s from when the other last saw it renewed, up to 4.4 s between two looks before and after; and slowness.
  await other.line("leading", 60);
  const seconds = (performance.now() - killed) / 1_000;
  assert.ok(seconds > 10, `after ${seconds} s`);
  await until("the lease", lease(installation), (spec) => spec?.leaseTransitions === 2);
});

test("a leader that is stopped gives its lease back: the other leads while it still answers, and no admission fails", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const [leader, other] = await leaderAndOther(installation);
  await using load = createPods(installation, 50);
  await load.more(20);
  const stopped = performance.now();
  const ended = leader.end("SIGTERM");
  await other.line("leading");
  const seconds = (performance.now() - stopped) / 1_000;
  assert.equal(await ended, 0);
  await load.more(20);
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.ok(seconds < 10, `after ${seconds} s`);
});

function lease({ api, name }: Installation) {
  return async () => (await api.coordination.readNamespacedLease({ namespace: name, name })).spec;
}
