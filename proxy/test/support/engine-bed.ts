import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  Engine,
  type EngineHandlers,
  type EngineLimits,
  type Finished,
  type Inbound,
} from "../../src/engine.ts";
import { loopbackServer } from "./loopback-server.ts";

type Upstream = Awaited<ReturnType<typeof loopbackServer>>;

export const LIMITS: EngineLimits = {
  connections: 10_000,
  verdictMs: 5_000,
  idleMs: 0,
  halfClosedMs: 0,
  keepaliveSeconds: 60,
};

/** An engine on a loopback port of its choice, and the server that every connection is relayed to unless told otherwise. */
export class EngineBed {
  readonly engine: Engine;
  readonly port: number;
  readonly upstreamPort: number;
  readonly accepted: Inbound[] = [];
  readonly finished: Finished[] = [];
  /** What was shown of each connection, by its id, in the order in which it was told. */
  readonly said: [id: number, bytes: Buffer][] = [];
  readonly #server: Upstream;
  #waiters: { count: number; resolve: () => void }[] = [];

  private constructor(
    server: Upstream,
    limits: EngineLimits,
    threads: number,
    verdict: (bed: EngineBed, inbound: Inbound) => void,
  ) {
    this.#server = server;
    this.upstreamPort = server.port;
    const handlers: EngineHandlers = {
      accepted: (inbound) => {
        this.accepted.push(inbound);
        verdict(this, inbound);
      },
      said: (id, bytes) => this.said.push([id, bytes]),
      finished: (_, end) => {
        this.finished.push(end);
        for (const waiter of this.#waiters.filter(({ count }) => this.finished.length >= count))
          waiter.resolve();
      },
      accepting: () => {},
    };
    this.engine = new Engine([{ address: "127.0.0.1", port: 0 }], limits, handlers, threads);
    this.port = this.engine.ports[0] ?? 0;
  }

  /** Closes itself when the test is over, however that goes. */
  static async open(
    t: TestContext,
    {
      serve = (socket) => socket.pipe(socket),
      limits = {},
      threads = 1,
      verdict = (bed, { id }) => bed.relay(id),
    }: {
      serve?: (socket: Socket) => void;
      limits?: Partial<EngineLimits>;
      threads?: number;
      verdict?: (bed: EngineBed, inbound: Inbound) => void;
    } = {},
  ): Promise<EngineBed> {
    const server = await loopbackServer(serve);
    const bed = new EngineBed(server, { ...LIMITS, ...limits }, threads, verdict);
    t.after(() => bed.close());
    return bed;
  }

  relay(id: number): void {
    this.engine.relay(id, ["127.0.0.1"], this.upstreamPort, 2_000);
  }

  /** An app's connection, half-open allowed. */
  async connect(): Promise<Socket> {
    const to = { host: "127.0.0.1", port: this.port };
    const socket = connect({ ...to, allowHalfOpen: true, noDelay: true });
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  /** What becomes of a connection that says nothing: watched from before it is made. */
  fate(): Promise<string> {
    return fate(connect({ host: "127.0.0.1", port: this.port }));
  }

  /** The ends of the first `count` connections, in the order in which they ended. */
  async ends(count: number): Promise<readonly Finished[]> {
    if (this.finished.length < count)
      await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
    return this.finished;
  }

  async close(): Promise<void> {
    await this.engine.stop();
    this.#server.close();
  }
}

/** All that a socket says until its end; rejects with its error. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    if (socket.errored) return reject(socket.errored);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("end", () => resolve(Buffer.concat(chunks)));
    socket.once("error", reject);
  });
}

/** The code with which a socket failed, or "end" when it ended in order. */
export function fate(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    // It may be over by now.
    if (socket.errored) return failed(socket.errored);
    if (socket.readableEnded) return resolve("end");
    socket.once("error", failed);
    socket.once("end", () => resolve("end"));
    socket.resume();
  });
}
