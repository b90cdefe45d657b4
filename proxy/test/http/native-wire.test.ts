import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, type TestContext, test } from "node:test";
import { Engine } from "../../src/engine.ts";
import { SocketSet } from "../../src/http/socket-set.ts";
import type { Wire, WireUser } from "../../src/http/wire.ts";
import { LIMITS } from "../support/engine-bed.ts";

/** What a wire tells, in words, and what it reads. */
class Listener implements WireUser {
  readonly told: string[] = [];
  readonly #waiting: { what: string; resolve: () => void }[] = [];
  read = Buffer.alloc(0);
  onBytes: ((chunk: Buffer) => void) | undefined;

  bytes(chunk: Buffer): void {
    if (this.onBytes) this.onBytes(chunk);
    else this.read = Buffer.concat([this.read, chunk]);
    this.#tell("bytes");
  }
  ended(): void {
    this.#tell("ended");
  }
  drained(): void {
    this.#tell("drained");
  }
  gone(error: NodeJS.ErrnoException | undefined): void {
    this.#tell(error ? `gone ${error.code}` : "gone");
  }
  /** Resolves when that has been told, from now on. */
  next(what: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ what, resolve }));
  }
  #tell(what: string): void {
    if (what !== "bytes") this.told.push(what);
    for (const each of this.#waiting.splice(0))
      if (what.startsWith(each.what)) each.resolve();
      else this.#waiting.push(each);
  }
}

const mistakes: string[] = [];
const sockets = new SocketSet((error) => mistakes.push(String(error)));
const arrivals: ((id: number) => void)[] = [];
const engine = new Engine([{ address: "127.0.0.1", port: 0 }], LIMITS, {
  accepted: ({ id }) => arrivals.shift()?.(id),
  finished: () => {},
  accepting: () => {},
});
after(() => engine.stop());

/** A descriptor as the sidecar gets it, and the other side of it. */
async function connected(): Promise<[fd: number, peer: Socket]> {
  const arrived = new Promise<number>((resolve) => arrivals.push(resolve));
  const peer = connect({ port: engine.ports[0] ?? 0, host: "127.0.0.1", allowHalfOpen: true });
  peer.on("error", () => {});
  const id = await arrived;
  const fd = await engine.release(id);
  engine.close(id);
  assert.ok(fd !== undefined);
  return [fd, peer];
}

function opened(fd: number): Wire {
  const wire = sockets.open(fd);
  if (wire instanceof Error) throw wire;
  return wire;
}

/** A wire, who listens to it, and the other side of it. */
async function pair(t: TestContext): Promise<[Wire, Listener, Socket]> {
  const [fd, peer] = await connected();
  const wire = opened(fd);
  const listener = new Listener();
  wire.user = listener;
  t.after(() => {
    wire.close();
    peer.destroy();
  });
  return [wire, listener, peer];
}

const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("texts and bytes arrive in their order, and those that lie behind one another as one", async (t) => {
  const [wire, , peer] = await pair(t);
  const bytes = Buffer.from("bytes and more of them");
  wire.send("text é ");
  wire.send(bytes.subarray(0, 5));
  wire.send(bytes.subarray(5));
  assert.equal(wire.isFlushed, false);
  wire.flush();
  assert.equal(wire.isFlushed, true);
  wire.end();
  const chunks = await peer.resume().toArray();
  assert.equal(Buffer.concat(chunks).toString("latin1"), "text é bytes and more of them");
});

test("an end is told after the last byte, and does not end the other way", async (t) => {
  const [wire, listener, peer] = await pair(t);
  const ended = listener.next("ended");
  peer.end("the last words");
  await ended;
  assert.equal(listener.read.toString(), "the last words");
  assert.equal(wire.hasEnded, true);
  const gone = listener.next("gone");
  wire.send("and the answer");
  wire.end();
  assert.equal(Buffer.concat(await peer.resume().toArray()).toString(), "and the answer");
  await gone;
  assert.deepEqual(listener.told, ["ended", "gone"]);
});

test("what it says after its end is not told of, and its own end comes first", async (t) => {
  const [wire, listener, peer] = await pair(t);
  wire.end();
  const gone = listener.next("gone");
  await once(peer.resume(), "end");
  peer.end("late");
  await gone;
  assert.deepEqual([listener.told, listener.read.toString()], [["ended", "gone"], "late"]);
});

test("a reset is told with its code, and given as one", async (t) => {
  const [, listener, peer] = await pair(t);
  const gone = listener.next("gone");
  peer.resetAndDestroy();
  await gone;
  assert.deepEqual(listener.told, ["gone ECONNRESET"]);

  const [wire, other, second] = await pair(t);
  const error = once(second.resume(), "error");
  wire.send("never sent");
  wire.reset();
  assert.equal((await error)[0].code, "ECONNRESET");
  assert.deepEqual(other.told, ["gone"]);
});

test("the answer of one who closed while it was still sent to is read before that is told", async (t) => {
  const [wire, listener, peer] = await pair(t);
  const gone = listener.next("gone");
  peer.write("no more, please", () => peer.destroy());
  await once(peer, "close");
  for (let i = 0; i < 3; i++) {
    wire.send("still sending");
    wire.flush();
    await new Promise(setImmediate);
  }
  await gone;
  assert.equal(listener.read.toString(), "no more, please");
});

test("a hundred megabytes go each way at once, and no byte is another", async (t) => {
  const [wire, listener, peer] = await pair(t);
  const total = 100 * 1_048_576;
  const piece = Buffer.alloc(1_000_003, "0123456789abcdefghijklmnopqrstuvwxyz");
  const [heard, echoed] = [createHash("sha256"), createHash("sha256")];
  let received = 0;
  const more = Promise.withResolvers<void>();
  listener.onBytes = (chunk) => {
    heard.update(chunk);
    received += chunk.length;
    if (received >= total) more.resolve();
  };
  peer.on("data", (chunk) => {
    echoed.update(chunk);
    if (!peer.write(chunk)) peer.pause();
  });
  peer.on("drain", () => peer.resume());
  let sent = 0;
  while (sent < total) {
    const part = piece.subarray(0, Math.min(piece.length, total - sent));
    wire.send(part);
    wire.flush();
    sent += part.length;
    if (wire.isFull) await listener.next("drained");
  }
  await more.promise;
  assert.equal(received, total);
  assert.equal(heard.digest("hex"), echoed.digest("hex"));
});

test("one that does not read fills what may wait, which is told, and what was sent arrives when it reads", async (t) => {
  const [wire, listener, peer] = await pair(t);
  const chunk = Buffer.alloc(100_000, "x");
  let sent = 0;
  while (!wire.isFull) {
    wire.send(chunk);
    wire.flush();
    // The memory may be used again.
    sent += chunk.length;
  }
  const drained = listener.next("drained");
  chunk.fill("y");
  let received = 0;
  let others = 0;
  peer.on("data", (bytes: Buffer) => {
    received += bytes.length;
    others += bytes.filter((byte) => byte !== 0x78).length;
  });
  await drained;
  wire.end();
  await once(peer, "end");
  assert.deepEqual([received, others], [sent, 0]);
});

test("paused it reads nothing, and what came meanwhile when it goes on", async (t) => {
  const [wire, listener, peer] = await pair(t);
  wire.pause();
  const bytes = Buffer.alloc(300_000, "paused ");
  peer.end(bytes);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual([listener.read.length, listener.told], [0, []]);
  const ended = listener.next("ended");
  wire.resume();
  await ended;
  assert.equal(hash(listener.read), hash(bytes));
});

test("while one reads without end the others have their turn", async (t) => {
  const [flood, loud, endless] = await pair(t);
  const [, quiet, peer] = await pair(t);
  loud.onBytes = () => {};
  const chunk = Buffer.alloc(1_048_576);
  const pour = () => {
    while (!endless.destroyed && endless.write(chunk));
  };
  endless.on("drain", pour);
  pour();
  for (let i = 0; i < 20; i++) {
    const bytes = quiet.next("bytes");
    peer.write("now");
    await bytes;
  }
  assert.equal(quiet.read.toString(), "now".repeat(20));
  assert.ok(flood.received > 0);
});

test("a mistake of whoever listens costs that wire, is told, and the others of the batch are heard", async (t) => {
  const [, first, one] = await pair(t);
  const [, second, two] = await pair(t);
  first.onBytes = () => {
    throw new Error("a mistake");
  };
  const [told, reset] = [second.next("bytes"), once(one, "error")];
  one.write("1");
  two.write("2");
  await told;
  assert.equal((await reset)[0].code, "ECONNRESET");
  assert.deepEqual(mistakes.splice(0), ["Error: a mistake"]);
});

test("what cannot be watched is closed, and said", () => {
  const fd = openSync("/dev/null", "r");
  assert.match(String(sockets.open(fd)), /cannot watch a socket: EPERM/);
  assert.throws(() => closeSync(fd), { code: "EBADF" });
});

test("one that is paused and cannot be written to any more is told as gone", async (t) => {
  const [wire, listener, peer] = await pair(t);
  wire.pause();
  const gone = listener.next("gone");
  peer.resetAndDestroy();
  await once(peer, "close");
  for (let i = 0; i < 100 && listener.told.length === 0; i++) {
    wire.send("still sending");
    wire.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await gone;
  assert.match(String(listener.told), /^gone E(PIPE|CONNRESET)$/);
});

test("two thousand of them, ended in every way, leave no descriptor", async () => {
  const count = () => readdirSync("/proc/self/fd").length;
  const before = count();
  for (let i = 0; i < 2_000; i++) {
    const [fd, peer] = await connected();
    peer.resume().once("end", () => peer.end());
    const wire = opened(fd);
    const listener = new Listener();
    wire.user = listener;
    const gone = listener.next("gone");
    if (i % 3 === 0) wire.end();
    else if (i % 3 === 1) wire.reset();
    else wire.close();
    await gone;
  }
  for (let i = 0; i < 200 && count() > before + 2; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(count() <= before + 2, `${before} → ${count()}`);
});
