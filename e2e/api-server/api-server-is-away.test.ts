import assert from "node:assert/strict";
import { test } from "node:test";
import { apiServer, lacking } from "../cluster/given.ts";
import { install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods, guarded } from "./pod-load.ts";
import { Relay } from "./relay.ts";
import { readiness } from "./service-front.ts";

const skip = lacking || lackingHelm();

test("a leader that cannot reach the API server goes on answering, stops leading, and leads again when it can", {
  skip,
}, async () => {
  const server = await apiServer();
  let isAway = false;
  const port = Number(new URL(server.url).port);
  using way = await Relay.start(() => (isAway ? undefined : port));
  await using installation = await install(server);
  const replica = await installation.replica([], `https://127.0.0.1:${way.port}`);
  await guarded(installation);
  await using load = createPods(installation, 20);
  await load.more(20);

  isAway = true;
  way.cut();
  const cutAt = performance.now();
  await replica.line("leading no more");
  const seconds = (performance.now() - cutAt) / 1_000;
  assert.ok(seconds > 5 && seconds < 15, `before another may lead: ${seconds} s`);
  await load.more(50);
  assert.equal((await readiness(replica.port)).status, 200);

  const from = replica.lines.length;
  isAway = false;
  await replica.line("leading", 60, from);
  assert.deepEqual((await load.stop()).failures, []);
  const troubles = replica.lines
    .filter(({ level }) => level === "error" || level === "warn")
    .map(({ message }) => message);
  // A part that tries every second tells once; two parts may try the same.
  const attempts = Map.groupBy(troubles, (message) => message.split(": ")[0]);
  for (const [attempted, told] of attempts)
    assert.ok(told.length <= 2, `${attempted}: told ${told.length} times`);
});
