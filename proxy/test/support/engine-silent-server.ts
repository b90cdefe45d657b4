import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { TestContext } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** The least that Node passes on to listen(2): the kernel queues one connection more than the backlog says. */
const BACKLOG = 1;

interface Given {
  readonly address: string;
  readonly port: number;
  readonly awake: Int32Array;
}

/**
 * A listener whose backlog is full: the kernel drops whatever SYN comes for it, as a black hole would (tcp_conn_request
 * in net/ipv4/tcp_input.c), until it wakes. Then the next SYN that is sent again, a second after the first, is answered.
 */
export class SilentServer {
  readonly #awake: Int32Array;
  readonly #address: string;
  readonly #port: number;

  private constructor({ address, port, awake }: Given) {
    this.#address = address;
    this.#port = port;
    this.#awake = awake;
  }

  static async open(t: TestContext, address: string, port: number): Promise<SilentServer> {
    const given = { address, port, awake: new Int32Array(new SharedArrayBuffer(4)) };
    const worker = new Worker(new URL(import.meta.url), { workerData: given });
    t.after(() => worker.terminate());
    await once(worker, "message");
    for (let filler = 0; filler <= BACKLOG; filler++) {
      const socket = connect({ host: address, port }).on("error", () => {});
      t.after(() => socket.destroy());
      await once(socket, "connect");
    }
    return new SilentServer(given);
  }

  wake(): void {
    Atomics.store(this.#awake, 0, 1);
    Atomics.notify(this.#awake, 0);
  }

  /** How many connections to it wait for their SYN to be answered (state 02 in /proc/net/tcp). */
  get unanswered(): number {
    const octets = this.#address.split(".").map((octet) => hex(Number(octet), 2));
    const remote = `${octets.reverse().join("")}:${hex(this.#port, 4)} 02 `;
    return readFileSync("/proc/net/tcp", "utf8").split(remote).length - 1;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

/** The listener's thread, which sleeps instead of accepting. */
function sleepOnIt({ address, port, awake }: Given): void {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  server.listen({ host: address, port, backlog: BACKLOG }, () => {
    parentPort?.postMessage("listening");
    Atomics.wait(awake, 0, 0);
  });
}

if (!isMainThread) sleepOnIt(workerData);
