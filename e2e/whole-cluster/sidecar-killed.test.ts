import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { statusOf } from "./support/controllers.ts";
import { lacking } from "./support/given.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { PROXY } from "./support/sidecar.ts";
import { cannotKill, killContainer } from "./support/sigkill.ts";
import { Listener, Stream } from "./support/streams.ts";
import { until } from "./support/until.ts";

const skip = lacking || cannotKill;
const guarded = ownNamespace("sidecar-killed", ENABLED);
const world = ownNamespace("sidecar-killed-world");

let listener: Listener;
before(async () => {
  if (!skip) listener = await Listener.start(world);
});

/** The kubelet starts the sidecar again: at once the first time, and after 10 s the second (its CrashLoopBackOff). */
async function killSidecar(stream: Stream): Promise<void> {
  const before = statusOf(await stream.pod(), PROXY);
  await killContainer(before.containerID ?? "");
}

const runningAgain = (stream: Stream, restarts: number) =>
  until(`the sidecar has been started ${restarts} times more`, async () => {
    const { restartCount, started } = statusOf(await stream.pod(), PROXY);
    return restartCount >= restarts && started === true;
  });

test("a sidecar that is killed lets nothing around it while it is away, and serves again; the app does not notice but by its connections", {
  skip,
}, async (t) => {
  const stream = await Stream.start(guarded, { to: listener.url });
  const app = statusOf(await stream.pod(), "app");
  await killSidecar(stream);
  await runningAgain(stream, 1);
  await sleep(500);
  // The second time it is away for ten seconds: long enough for anything that might slip past.
  await killSidecar(stream);
  const killed = Date.now();
  await runningAgain(stream, 2);
  const { startedAt } = statusOf(await stream.pod(), PROXY).state?.running ?? {};
  // The API server's times are whole seconds; it cannot have served before it was started.
  const back = new Date(startedAt ?? 0).getTime();
  await sleep(2_000);

  const sent = await stream.sent();
  const heard = new Set(await listener.heard());
  const away = sent.filter(({ sentMs, endedMs }) => sentMs > killed && endedMs < back);
  assert.ok(back - killed > 5_000, `it was away for ${back - killed} ms only`);
  assert.ok(away.length > 50, `${away.length} requests while it was away`);
  assert.deepEqual(
    away.filter(({ problem }) => problem === undefined),
    [],
  );
  assert.deepEqual(
    away.filter(({ number }) => heard.has(number)),
    [],
    "nothing that was sent meanwhile has arrived",
  );
  const since = sent.filter(({ sentMs }) => sentMs > back + 2_000);
  assert.ok(since.length > 10 && since.every(({ problem }) => problem === undefined));

  const after = statusOf(await stream.pod(), "app");
  assert.deepEqual(
    [after.restartCount, after.containerID],
    [app.restartCount, app.containerID],
    "the app's container is the same",
  );
  const kinds = Map.groupBy(away, ({ problem }) => problem);
  t.diagnostic(
    `away for ${back - killed} ms; ${[...kinds].map(([problem, { length }]) => `${length} requests: ${problem}`).join(", ")}`,
  );
});
