import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dialled, type Engine, MAX_ADDRESSES } from "../src/engine.ts";
import { EngineBed, fate, readAll } from "./support/engine-bed.ts";
import { SilentServer } from "./support/engine-silent-server.ts";

/** On 127.0.0.1 the bed's server answers; here nothing listens; on 127.0.0.2 nobody ever answers. */
const GOOD = "127.0.0.1";
const REFUSING = "127.0.0.9";
const SILENT = "127.0.0.2";
const CONNECT_MS = 3_000;

/** As Node has it; when the test is over it is closed. */
function socketOf(t: TestContext, fd: number | undefined): Socket {
  assert.ok(fd !== undefined && fd >= 0, `no descriptor: ${fd}`);
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** What has connected. */
function connected(dialled: Dialled | undefined) {
  assert.ok(dialled && "fd" in dialled, JSON.stringify(dialled));
  return dialled;
}

/** An app's connection whose verdict is the caller's to give. */
async function undecided(bed: EngineBed) {
  const before = bed.accepted.length;
  const app = await bed.connect();
  while (bed.accepted.length === before) await sleep(1);
  return { app, id: bed.accepted[before]?.id ?? 0 };
}

/** The same, held: `inside` is what the engine accepted. */
async function held(t: TestContext, bed: EngineBed) {
  const { app, id } = await undecided(bed);
  return { app, id, inside: socketOf(t, await bed.engine.release(id)) };
}

function holding(t: TestContext, options: Parameters<typeof EngineBed.open>[1] = {}) {
  return EngineBed.open(t, { verdict: () => {}, ...options });
}

const heard = async (socket: Socket) => String((await once(socket, "data"))[0]);

function openSockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false; // the folder's own descriptor
    }
  }).length;
}

test("what was peeked at is still to be read from the released descriptor, and nothing is lost after it", async (t) => {
  const bed = await holding(t);
  const { app, id } = await undecided(bed);
  app.write("hel");
  assert.equal(String((await bed.engine.peek(id, 0, 20_000))?.bytes), "hel");
  app.end("lo");
  const inside = socketOf(t, await bed.engine.release(id));
  assert.equal(String(await readAll(inside)), "hello");
  inside.end("answer");
  assert.equal(String(await readAll(app)), "answer");
  bed.engine.close(id);
});

test("a held connection is open until it is closed, whatever the limits of others, and its descriptor is not touched", async (t) => {
  const bed = await holding(t, { limits: { verdictMs: 30, idleMs: 30, halfClosedMs: 30 } });
  const { app, id, inside } = await held(t, bed);
  await sleep(120);
  assert.deepEqual([...(await bed.engine.report())], [[id, { sent: 0, received: 0 }]]);
  assert.equal(bed.finished.length, 0);
  bed.engine.close(id);
  const [{ totalMs = 0, ...end } = {}] = await bed.ends(1);
  assert.deepEqual(end, { sent: 0, received: 0, by: "sidecar", how: "closed" });
  assert.ok(totalMs >= 100, `${totalMs} ms`);
  app.end("you too?");
  assert.equal(String(await readAll(inside)), "you too?");
  inside.end("still here");
  assert.equal(String(await readAll(app)), "still here");
});

test("what an app does while it is held is nobody's business but its reader's", async (t) => {
  const bed = await holding(t);
  const { app, id, inside } = await held(t, bed);
  const seen = fate(inside);
  app.resetAndDestroy();
  assert.equal(await seen, "ECONNRESET");
  assert.equal((await bed.engine.report()).size, 1);
  const dialled = await bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS);
  socketOf(t, connected(dialled).fd).destroy();
  assert.equal(bed.finished.length, 0);
  bed.engine.close(id);
  await bed.ends(1);
});

test("an app that said something and reset is dialled for all the same: what it said is there to be read", async (t) => {
  const bed = await holding(t);
  const { app, id } = await undecided(bed);
  app.write("hello");
  assert.equal((await bed.engine.peek(id, 0, 20_000))?.bytes.length, 5);
  const more = bed.engine.peek(id, 5, 20_000);
  await bed.engine.report(); // which comes after it
  app.resetAndDestroy();
  assert.equal((await more)?.ended, true);
  const [fd, dialled] = await Promise.all([
    bed.engine.release(id),
    bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS),
  ]);
  socketOf(t, connected(dialled).fd).destroy();
  assert.equal(await heard(socketOf(t, fd)), "hello");
});

test("a release and a dial, asked for in one turn, give both ends", async (t) => {
  const bed = await holding(t);
  const { app, id } = await undecided(bed);
  app.write("hello");
  const [fd, dialled] = await Promise.all([
    bed.engine.release(id),
    bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS),
  ]);
  const { fd: upstreamFd, address, connectMs } = connected(dialled);
  const [inside, upstream] = [socketOf(t, fd), socketOf(t, upstreamFd)];
  assert.equal(address, 0);
  assert.ok(connectMs > 0 && connectMs < 1_000, `${connectMs} ms`);
  inside.pipe(upstream).pipe(inside);
  assert.equal(await heard(app), "hello");
  app.end(" and more");
  assert.equal(String(await readAll(app)), " and more");
  bed.engine.close(id);
  await bed.ends(1);
});

test("addresses are tried as for a relay: the next at once after a refusal, and soon after silence", async (t) => {
  const bed = await holding(t);
  await SilentServer.open(t, SILENT, bed.upstreamPort);
  const { id } = await held(t, bed);
  for (const [addresses, address, leastMs, mostMs] of [
    [[REFUSING, GOOD], 1, 0, 200],
    [[SILENT, GOOD], 1, 200, 750],
    [[SILENT, REFUSING, GOOD], 2, 200, 750],
    [[GOOD, SILENT], 0, 0, 200],
  ] as const) {
    const dialled = connected(await bed.engine.dial(id, addresses, bed.upstreamPort, CONNECT_MS));
    socketOf(t, dialled.fd).destroy();
    assert.equal(dialled.address, address);
    assert.ok(dialled.connectMs >= leastMs && dialled.connectMs < mostMs, `${dialled.connectMs}`);
  }
});

test("where none connects it is told why, and which address failed last; the next dial starts anew", async (t) => {
  const bed = await holding(t);
  await SilentServer.open(t, SILENT, bed.upstreamPort);
  const { id } = await held(t, bed);
  const dial = (addresses: readonly string[], connectMs = CONNECT_MS) =>
    bed.engine.dial(id, addresses, bed.upstreamPort, connectMs);
  assert.deepEqual(await dial([REFUSING, REFUSING]), { error: "ECONNREFUSED", address: 1 });
  assert.deepEqual(await dial([]), { error: "EDESTADDRREQ" });
  assert.deepEqual(await dial([SILENT], 50), { error: "ETIMEDOUT", address: 0 });
  assert.deepEqual(await dial(["255.255.255.255"]), { error: "ENETUNREACH", address: 0 });
  assert.deepEqual(await dial([...Array(MAX_ADDRESSES).fill(REFUSING), GOOD]), {
    error: "ECONNREFUSED",
    address: MAX_ADDRESSES - 1,
  });
  assert.equal(bed.finished.length, 0);
  assert.deepEqual([...(await bed.engine.report()).keys()], [id]);
  socketOf(t, connected(await dial([GOOD])).fd).destroy();
});

test("a connection has one dial at a time, and as many as it wants after each other", async (t) => {
  const bed = await holding(t);
  const { id } = await held(t, bed);
  const dial = () => bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS);
  const [first, meanwhile] = await Promise.all([dial(), dial()]);
  assert.equal(meanwhile, undefined);
  const upstreams = [first, await dial()].map((one) => socketOf(t, connected(one).fd));
  assert.notEqual(upstreams[0]?.localPort, upstreams[1]?.localPort);
  for (const [i, upstream] of upstreams.entries()) {
    upstream.write(`upstream ${i}`);
    assert.equal(await heard(upstream), `upstream ${i}`);
    upstream.destroy();
  }
});

test("there is no dial for a connection that is not held, and none for one that is gone", async (t) => {
  const bed = await holding(t);
  const { id, app } = await undecided(bed);
  const dial = () => bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS);
  assert.equal(await dial(), undefined);
  bed.engine.close(id);
  assert.equal(await fate(app), "ECONNRESET");
  await bed.ends(1);
  assert.deepEqual(await Promise.all([bed.engine.release(id), dial()]), [undefined, undefined]);
  await bed.close();
  assert.equal(await dial(), undefined);
});

test("a dial under way is dropped when the connection is closed", async (t) => {
  const bed = await holding(t);
  const silent = await SilentServer.open(t, SILENT, bed.upstreamPort);
  const { id, inside } = await held(t, bed);
  const dialled = bed.engine.dial(id, [SILENT], bed.upstreamPort, CONNECT_MS);
  await bed.engine.report(); // which comes after it
  assert.equal(silent.unanswered, 1);
  bed.engine.close(id);
  assert.equal(await dialled, undefined);
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by], ["closed", "sidecar"]);
  assert.equal(silent.unanswered, 0);
  inside.destroy();
});

test("descriptors that are on their way when the connection is closed are given to nobody, and reset", async (t) => {
  for (const end of [
    (engine: Engine, id: number) => engine.close(id),
    (engine: Engine) => engine.closeAll(),
    (engine: Engine) => void engine.stop(),
  ]) {
    const served: Promise<string>[] = [];
    const bed = await holding(t, { serve: (socket) => void served.push(fate(socket)) });
    const { id, app } = await undecided(bed);
    const asked = [
      bed.engine.release(id),
      bed.engine.dial(id, [GOOD], bed.upstreamPort, CONNECT_MS),
    ];
    // Both have been obeyed and answered by then, but JavaScript is busy.
    const until = performance.now() + 200;
    while (performance.now() < until);
    end(bed.engine, id);
    assert.deepEqual(await Promise.all(asked), [undefined, undefined]);
    await bed.ends(1);
    assert.equal(await fate(app), "ECONNRESET");
    while (served.length === 0) await sleep(1);
    assert.deepEqual(await Promise.all(served), ["ECONNRESET"]);
  }
});

test("held connections end with all others, dials and all, and their descriptors stay their holder's", async (t) => {
  for (const end of ["closeAll", "stop"] as const) {
    const bed = await holding(t, { threads: 2 });
    await SilentServer.open(t, SILENT, bed.upstreamPort);
    const all = await Promise.all(Array.from({ length: 20 }, () => bed.connect()));
    while (bed.accepted.length < all.length) await sleep(1);
    const insides = await Promise.all(
      bed.accepted.map(async ({ id }) => socketOf(t, await bed.engine.release(id))),
    );
    const dials = bed.accepted.map(({ id }) =>
      bed.engine.dial(id, [SILENT], bed.upstreamPort, CONNECT_MS),
    );
    await bed.engine.report();
    bed.engine[end]();
    assert.ok((await Promise.all(dials)).every((dialled) => dialled === undefined));
    const ends = await bed.ends(all.length);
    assert.ok(ends.every(({ how }) => how === "closed"));
    for (const inside of insides) inside.end("still here");
    for (const app of all) assert.equal(String(await readAll(app)), "still here");
  }
});

test("a held connection counts as an open one", async (t) => {
  const bed = await holding(t, { limits: { connections: 1 } });
  const { id, inside } = await held(t, bed);
  assert.equal(await bed.fate(), "ECONNRESET");
  bed.engine.close(id);
  inside.destroy();
  await bed.ends(1);
  const { id: next } = await undecided(bed);
  assert.notEqual(next, 0);
});

test("2,000 connections that are held, dialled for, failed or closed half-way leave no descriptor behind", async (t) => {
  let begun = 0;
  const bed = await holding(t, {
    serve: (socket) => socket.end(),
    verdict: async ({ engine, upstreamPort }, { id }) => {
      const turn = begun++;
      const dial = (addresses: readonly string[]) =>
        engine.dial(id, addresses, upstreamPort, CONNECT_MS);
      const released = engine.release(id);
      const first = dial(turn % 3 === 0 ? [REFUSING] : [REFUSING, GOOD]);
      if (turn % 4 === 0) await released;
      if (turn % 8 < 2) engine.close(id);
      await Promise.all([released, first]);
      const second = turn % 5 === 0 ? await dial([GOOD]) : undefined;
      for (const dialled of [await first, second])
        if (dialled && "fd" in dialled) new Socket({ fd: dialled.fd }).destroy();
      const fd = await released;
      if (fd !== undefined) new Socket({ fd }).destroy();
      engine.close(id);
    },
  });
  const before = openSockets();
  for (let done = 0; done < 2_000; done += 50) {
    const apps = await Promise.all(Array.from({ length: 50 }, () => bed.connect()));
    await Promise.all(apps.map(fate));
    for (const app of apps) app.destroy();
  }
  await bed.ends(2_000);
  for (let i = 0; i < 3_000 && openSockets() > before; i++) await sleep(10);
  assert.ok(openSockets() <= before, `${openSockets()} sockets, not ${before}`);
});
