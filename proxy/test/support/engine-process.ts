import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { loopbackServer } from "./loopback-server.ts";

export interface Usage {
  readonly finished: number;
  readonly failed: number;
  readonly sockets: number;
  readonly pipes: number;
  readonly rssKb: number;
  readonly cpuMs: number;
}

/** engine-main.ts as a process, and the upstream to which it relays. */
export class EngineProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  static async start(
    t: TestContext,
    {
      serve,
      limits = {},
      openFiles,
    }: { serve: (socket: Socket) => void; limits?: object; openFiles?: number },
  ): Promise<EngineProcess> {
    const server = await loopbackServer(serve);
    const main = join(import.meta.dirname, "engine-main.ts");
    const child = spawn("sh", [
      ...["-c", `${openFiles ? `ulimit -n ${openFiles}; ` : ""}exec "$@"`, "sh"],
      ...[process.execPath, "--expose-gc", main, String(server.port), JSON.stringify(limits)],
    ]);
    child.stderr.pipe(process.stderr);
    t.after(() => {
      child.kill("SIGKILL");
      server.close();
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = JSON.parse(String((await lines.next()).value));
    return new EngineProcess(child, lines, first.port);
  }

  async usage(): Promise<Usage> {
    this.#child.stdin?.write("usage\n");
    return (await this.said("usage")).usage as Usage;
  }

  /** Accepts no more; resolves when that has begun. */
  async pause(): Promise<void> {
    this.#child.stdin?.write("pause\n");
    await this.said("pausing");
  }

  resume(): void {
    this.#child.stdin?.write("resume\n");
  }

  /** Keeps its JavaScript busy; resolves when that has begun. */
  async stall(ms: number): Promise<void> {
    this.#child.stdin?.write(`stall ${ms}\n`);
    await this.said("stalling");
  }

  /** Has it call process.exit() and gives its code and signal. */
  async exit(): Promise<[code: number | null, signal: string | null]> {
    const over = once(this.#child, "exit") as Promise<[number | null, string | null]>;
    this.#child.stdin?.end();
    return over;
  }

  async connect(localAddress?: string): Promise<Socket> {
    const socket = this.dial(localAddress);
    await once(socket, "connect");
    return socket;
  }

  /** A connection that may as well fail. Each local address has ports of its own, for those who need many. */
  dial(localAddress?: string): Socket {
    const to = { host: "127.0.0.1", port: this.port, ...(localAddress && { localAddress }) };
    const socket = connect({ ...to, allowHalfOpen: true, noDelay: true });
    socket.on("error", () => {});
    return socket;
  }

  /** The next thing it says that has this key. */
  async said(key: string): Promise<Record<string, unknown>> {
    for (;;) {
      const said = JSON.parse(String((await this.#lines.next()).value));
      if (key in said) return said;
    }
  }

  /** Processor time so far, user and kernel, in clock ticks of 10 ms (proc(5), fields 14 and 15), asked from outside. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]?.split(" ");
    return (Number(fields?.[11]) + Number(fields?.[12])) * 10;
  }
}

/** Says something and resolves with as much of the answer. */
export async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let heard = "";
  while (heard.length < text.length) heard += String((await once(socket, "data"))[0]);
  return heard;
}
