/**
 * One side of the tests' conversations, as a process inside a namespace. Reads commands as JSON lines and answers each
 * with one: `{id, …}`. Data is a keyed stream, so that both sides know what the other must have heard.
 */
import { createCipheriv, createHash } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Command, Conversation, Heard } from "./peer.ts";

const CHUNK = Buffer.alloc(64 << 10);

/** `bytes` of AES-CTR keystream: cheap to make, and every position is different. */
function* stream(bytes: number, key: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, key), Buffer.alloc(16));
  for (let left = bytes; left > 0; left -= CHUNK.length)
    yield cipher.update(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK);
}

function converse(socket: Socket, { say, key = 1, hear, ending }: Conversation): Promise<Heard> {
  const hash = createHash("sha256");
  let received = 0;
  return new Promise((resolve) => {
    const done = (how: string) => resolve({ received, sha256: hash.digest("hex"), how });
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    if (hear === false) socket.pause();
    else
      socket.on("data", (chunk: Buffer) => {
        hash.update(chunk);
        received += chunk.length;
      });
    socket.once("end", () => {
      done("end");
      if (say === undefined && !ending) socket.end();
    });
    if (ending === "echo") socket.pipe(socket);
    else if (say !== undefined)
      Readable.from(stream(say, key)).pipe(socket, { end: ending !== "hold" });
  });
}

const held: Socket[] = [];

async function dial({ address, port, ...conversation }: Command): Promise<Heard> {
  const socket = connect({ host: address, port, allowHalfOpen: true });
  held.push(socket);
  return converse(socket, conversation);
}

const ACTIONS: Readonly<Record<Command["do"], (command: Command) => Promise<object>>> = {
  serve: ({ address, port, ...conversation }) =>
    new Promise((resolve) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        held.push(socket);
        void converse(socket, conversation).then((heard) =>
          console.log(JSON.stringify({ served: port, ...heard })),
        );
      });
      server.listen({ host: address, port, backlog: 4096 }, () => resolve({}));
    }),
  crowd: async (command) => {
    const all = await Promise.all(
      Array.from({ length: command.count ?? 1 }, (_, i) =>
        dial({ ...command, key: command.key ?? (i % 200) + 1 }),
      ),
    );
    return { heard: all };
  },
  resetAll: async () => {
    for (const socket of held.splice(0)) socket.resetAndDestroy();
    return {};
  },
  readAll: async () => {
    for (const socket of held) socket.resume();
    return {};
  },
};

createInterface(process.stdin)
  .on("line", async (line) => {
    const command: Command & { id: number } = JSON.parse(line);
    const answer = await ACTIONS[command.do](command);
    console.log(JSON.stringify({ id: command.id, ...answer }));
  })
  .on("close", () => process.exit());
