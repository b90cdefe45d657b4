import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { apiServer, lacking } from "../cluster/given.ts";
import { install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods } from "./pod-load.ts";
import { readiness } from "./service-front.ts";

const skip = lacking || lackingHelm();

/** A way to the API server that can be cut. */
async function wayTo(url: string) {
  let cut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (cut) return void near.destroy();
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set cut(value: boolean) {
      cut = value;
      if (cut) for (const socket of sockets) socket.destroy();
    },
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("a leader that cannot reach the API server goes on answering, stops leading, and leads again when it can", {
  skip,
}, async () => {
  const server = await apiServer();
  using way = await wayTo(server.url);
  await using installation = await install(server);
  const replica = await installation.replica([], way.url);
  await replica.line("MutatingWebhookConfiguration");
  await using load = createPods(installation, 20);
  await load.more(20);

  way.cut = true;
  const cutAt = performance.now();
  await replica.line("leading no more", 20);
  const seconds = (performance.now() - cutAt) / 1_000;
  assert.ok(seconds > 5 && seconds < 14, `before another may lead: ${seconds} s`);
  await load.more(50);
  assert.equal((await readiness(replica.port)).status, 200);

  const from = replica.lines.length;
  way.cut = false;
  await replica.line("leading", 20, from);
  assert.deepEqual((await load.stop()).failures, []);
  const troubles = replica.lines
    .filter(({ level }) => level === "error" || level === "warn")
    .map(({ message }) => message);
  assert.deepEqual(troubles, [...new Set(troubles)], "each is told once, not at every attempt");
});
