/** The app of caller.ts: reads orders as JSON lines and reports on each, first when it is under way, last when it is over. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as handshake } from "node:tls";
import type { Endings, Heard, Order, Report } from "./caller.ts";

/** Nothing here takes longer, unless it hangs. */
const PATIENCE_MS = 60_000;
const SILENCE_MS = 300;

/** All that are open: to be reset. */
const held = new Set<Socket>();
/** By the order that made them; over TLS where they are: to be spoken on. */
const spoken = new Map<number, Socket>();

interface Talk {
  /** A line, or as many bytes as are enough. */
  readonly heard: Promise<Heard>;
  readonly ended: Promise<Heard>;
}

function talk(order: Order, hangsUp: boolean): Talk {
  const { address, port, tls, enough } = order;
  const plain = connect({ host: address, port, noDelay: true });
  const socket =
    tls === undefined
      ? plain
      : handshake({ socket: plain, servername: tls, rejectUnauthorized: false });
  held.add(plain);
  spoken.set(order.id, socket);
  let startedMs = performance.now();
  let text = "";
  const heard = Promise.withResolvers<Heard>();
  const ended = Promise.withResolvers<Heard>();
  const report = (how: string): Heard => ({ text, how, ms: performance.now() - startedMs });
  plain.once("connect", () => {
    startedMs = performance.now();
    if (enough === 0) heard.resolve(report("enough"));
  });
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (enough === undefined ? !text.includes("\n") : text.length < enough) return;
    heard.resolve(report("enough"));
    if (!hangsUp) return;
    ended.resolve(report("enough"));
    plain.destroy();
  });
  const over = (how: string) => {
    held.delete(plain);
    spoken.delete(order.id);
    ended.resolve(report(how));
  };
  socket.once("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
  if (socket !== plain) plain.on("error", () => {});
  socket.once("end", () => over("end"));
  socket.once("close", () => over("close"));
  void utter(socket, order);
  return { heard: heard.promise, ended: ended.promise };
}

/** More, on a connection that is held. */
function more({ of = 0, say }: Order): Promise<Heard> {
  const socket = spoken.get(of);
  return new Promise((resolve) => {
    const heard = (text: string, how: string) => resolve({ text, how, ms: 0 });
    if (!socket || socket.destroyed) return heard("", "gone");
    socket.once("data", (chunk: Buffer) => heard(chunk.toString("latin1"), "enough"));
    socket.once("error", (error: NodeJS.ErrnoException) => heard("", error.code ?? error.message));
    socket.once("close", () => heard("", "close"));
    socket.write(Buffer.from(say.join(""), "hex"));
  });
}

async function utter(socket: Socket, { say, silentMs, gapMs, tls }: Order): Promise<void> {
  if (say.length === 0) return;
  try {
    await once(socket, tls === undefined ? "connect" : "secureConnect");
  } catch {
    return;
  }
  if (silentMs) await sleep(silentMs);
  for (const [i, piece] of say.entries()) {
    if (i > 0 && gapMs) await sleep(gapMs);
    if (socket.destroyed) return;
    socket.write(Buffer.from(piece, "hex"));
  }
}

/** All connected, a hundred at a time, and each has said its piece. */
async function crowd(order: Order, first: () => void): Promise<Endings> {
  const piece = Buffer.from(order.say.join(""), "hex");
  const endings: Record<string, number> = {};
  const all: Promise<void>[] = [];
  for (let made = 0; made < order.count; made += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, order.count - made) }, async () => {
        const socket = connect({ host: order.address, port: order.port });
        held.add(socket);
        const closed = Promise.withResolvers<void>();
        all.push(closed.promise);
        let how = "end";
        socket.on("error", (error: NodeJS.ErrnoException) => {
          how = error.code ?? error.message;
        });
        socket.on("data", (chunk: Buffer) => {
          how = chunk.toString("hex");
        });
        socket.once("close", () => {
          held.delete(socket);
          endings[how] = (endings[how] ?? 0) + 1;
          closed.resolve();
        });
        await once(socket, "connect").catch(() => {});
        if (piece.length > 0 && !socket.destroyed) socket.write(piece);
      }),
    );
  first();
  await Promise.all(all);
  return endings;
}

function datagram({ address, port, say }: Order): Promise<string> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const result = new Promise<string>((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("message", () => resolve("answered"));
    socket.connect(port, address, () => socket.send(Buffer.from(say.join(""), "hex")));
    setTimeout(() => resolve("silence"), SILENCE_MS);
  });
  return result.finally(() => socket.close());
}

async function carryOut(order: Order, first: (what: unknown) => void): Promise<unknown> {
  switch (order.do) {
    case "call": {
      const { ended } = talk(order, true);
      return Promise.race([ended, sleep(PATIENCE_MS, { text: "", how: "hangs", ms: PATIENCE_MS })]);
    }
    case "hold": {
      const { heard, ended } = talk(order, false);
      void heard.then(first);
      return ended;
    }
    case "say":
      return more(order);
    case "crowd":
      return crowd(order, () => first(null));
    case "datagram":
      return datagram(order);
    case "hangUp":
      for (const socket of held) socket.resetAndDestroy();
      held.clear();
      return null;
  }
}

const report = (what: Report) => console.log(JSON.stringify(what));

createInterface(process.stdin)
  .on("line", async (line) => {
    const order: Order = JSON.parse(line);
    const { id } = order;
    report({ id, last: await carryOut(order, (first) => report({ id, first })) });
  })
  .on("close", () => process.exit());
