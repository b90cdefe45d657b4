import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Figures } from "../../src/delivery/figures.ts";
import { Handshakes } from "../../src/delivery/handshakes.ts";
import { LIMITS } from "../../src/delivery/limits.ts";
import { compiled, layBed, podNamed } from "./bed.ts";

/** Connections as a server has them, in their order. */
async function pairs(count: number) {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients: Socket[] = [];
  const accepted: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const { port } = server.address() as AddressInfo;
    const client = connect(port, "127.0.0.1").on("error", () => {});
    const [socket] = (await once(server, "connection")) as [Socket];
    clients.push(client);
    accepted.push(socket.on("error", () => {}));
  }
  return {
    accepted,
    [Symbol.dispose]: () => {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    },
  };
}

test("so many handshakes are under way at once, and the next in order begins when one is done, fails or is slow", async () => {
  using bed = await pairs(6);
  const [a, b, c, d, e, f] = bed.accepted as [Socket, Socket, Socket, Socket, Socket, Socket];
  const begun: Socket[] = [];
  // Only the clock of `look` goes on.
  const limits = { ...LIMITS, handshakes: 2, handshakeTurnMs: 60_000, handshakeWaitMs: 60_000 };
  const handshakes = new Handshakes(limits, new Figures(), (socket) => void begun.push(socket));
  for (const socket of bed.accepted) handshakes.add(socket);
  assert.deepEqual(begun, [a, b]);
  handshakes.done(b);
  assert.deepEqual(begun, [a, b, c]);
  d.destroy();
  await once(d, "close");
  a.destroy();
  await once(a, "close");
  assert.deepEqual(begun, [a, b, c, e]);
  handshakes.look(performance.now());
  assert.equal(begun.length, 4);
  handshakes.look(performance.now() + limits.handshakeTurnMs);
  assert.deepEqual(begun, [a, b, c, e, f]);
  assert.equal(c.destroyed, false);
});

test("whoever has waited so long that no time is left is closed, and the next one begins", async () => {
  using bed = await pairs(3);
  const [a, b, c] = bed.accepted as [Socket, Socket, Socket];
  const begun: Socket[] = [];
  const limits = { ...LIMITS, handshakes: 1, handshakeWaitMs: 2_000 };
  const handshakes = new Handshakes(limits, new Figures(), (socket) => void begun.push(socket));
  handshakes.add(a);
  handshakes.add(b);
  await delay(2_100);
  handshakes.add(c);
  handshakes.done(a);
  assert.ok(b.destroyed);
  assert.deepEqual(begun, [a, c]);
});

test("those that come at once all get their streams, a few handshakes at a time, whoever else is silent", async () => {
  await using bed = await layBed({
    ...{ handshakes: 2, handshakeTurnMs: 100 },
    ...{ handshakeWaitMs: 60_000, strangerMs: 60_000 },
  });
  const mutes = Array.from({ length: 3 }, () =>
    connect(bed.server.port, "127.0.0.1").on("error", () => {}),
  );
  await Promise.all(mutes.map((socket) => once(socket, "connect")));
  const pods = Array.from({ length: 40 }, (_, i) => podNamed(`web-${i}`));
  bed.snapshots.write(pods, { compiled: compiled("a", 1) });
  const clients = await Promise.all(pods.map((pod) => bed.ask(bed.tokenOf(pod))));
  for (const { head } of clients) assert.equal(head?.status, 101);
  for (const socket of mutes) socket.destroy();
});
