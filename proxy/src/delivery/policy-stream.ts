import type { TLSSocket } from "node:tls";
import type { Basis, ControllerLine, SidecarLine } from "@sallyport/core/delivery";
import { LineReader } from "@sallyport/core/line-reader";
import { printable } from "../sniff/name-given.ts";
import { readControllerLine } from "./controller-line.ts";
import { codeOf } from "./failure.ts";
import type { StreamLimits } from "./limits.ts";
import type { OpenedStream } from "./open-stream.ts";
import type { Reports } from "./reports.ts";
import type { Offered } from "./take-snapshot.ts";

/** Who takes what the controllers say. */
export interface StreamUser {
  /** The controller has said something. */
  heard(): void;
  /** Puts it in force; or why not. */
  offered(snapshot: Offered): string | undefined;
  /** What is in force is what the controller would send. */
  confirmed(revision: string, basis: Basis): void;
  /** The token as it is now; undefined where it cannot be read. */
  token(): string | undefined;
}

/** How a stream ended: in order, or for a reason. */
export interface StreamEnd {
  readonly failure?: string;
  /** In a controller's words, of an end in order. */
  readonly why?: string;
}

/** One conversation with a controller, from the hello to the end. */
export class PolicyStream {
  readonly ended: Promise<StreamEnd>;
  readonly #socket: TLSSocket;
  readonly #user: StreamUser;
  readonly #reports: Reports;
  readonly #limits: StreamLimits;
  readonly #reader: LineReader;
  readonly #tick: NodeJS.Timeout;
  readonly #end: (end: StreamEnd) => void;
  #token: string;
  #why: string | undefined;
  #isOver = false;
  #heardMs = performance.now();
  #saidMs = performance.now();

  constructor(
    { socket, rest }: OpenedStream,
    token: string,
    hello: Extract<SidecarLine, { type: "hello" }>,
    user: StreamUser,
    reports: Reports,
    limits: StreamLimits,
  ) {
    this.#socket = socket;
    this.#token = token;
    this.#user = user;
    this.#reports = reports;
    this.#limits = limits;
    this.#reader = new LineReader(limits.controllerLineBytes);
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#end = resolve;
    socket.on("data", (chunk: Buffer) => this.#heard(chunk));
    socket.once("end", () => this.#over({ ...(this.#why !== undefined && { why: this.#why }) }));
    socket.once("close", () => this.#over({ failure: "the controller's connection is gone" }));
    socket.on("error", (error) =>
      this.#over({ failure: `the controller's connection broke: ${codeOf(error)}` }),
    );
    this.#tick = setInterval(() => this.#look(), limits.tickMs).unref();
    this.#say(hello);
    if (rest.length > 0) this.#heard(rest);
    socket.resume();
  }

  /** Tells what is left to tell, and ends in order; resolves when that is sent, or after `lastMs`. */
  async close(lastMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#report();
    const last = setTimeout(() => this.#socket.destroy(), lastMs);
    await new Promise<void>((resolve) => {
      this.#socket.once("close", resolve);
      this.#socket.end(resolve);
    });
    clearTimeout(last);
    this.#over({});
  }

  #heard(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#heardMs = performance.now();
    this.#user.heard();
    const lines = this.#reader.read(chunk);
    if (lines === "too long") {
      const { controllerLineBytes } = this.#limits;
      this.#over({
        failure: `the controller wrote a line of more than ${controllerLineBytes} bytes`,
      });
      return;
    }
    for (const line of lines) if (!this.#isOver) this.#understand(line.toString("utf8"));
  }

  #understand(text: string): void {
    const line = readControllerLine(text);
    if (typeof line === "string") this.#over({ failure: line });
    else if (line) this.#obey(line);
  }

  #obey(line: ControllerLine): void {
    switch (line.type) {
      case "snapshot": {
        const problem = this.#user.offered(line);
        const { revision } = line;
        this.#say(
          problem === undefined
            ? { type: "applied", revision }
            : { type: "rejected", revision, problem: problem.slice(0, 4_096) },
        );
        break;
      }
      case "current":
        this.#user.confirmed(line.revision, line.basis);
        this.#say({ type: "applied", revision: line.revision });
        break;
      case "end":
        this.#why = printable(line.why, this.#limits.toldCharacters);
        break;
      case "beat":
        break;
    }
  }

  /** What is due now, seen to by one timer for all. */
  #look(): void {
    const nowMs = performance.now();
    const { silentMs, beatMs, tickMs } = this.#limits;
    if (nowMs - this.#heardMs >= silentMs) {
      this.#over({ failure: `the controller has said nothing for ${silentMs} ms` });
      return;
    }
    const token = this.#user.token();
    if (token !== undefined && token !== this.#token) {
      this.#token = token;
      this.#say({ type: "token", token });
    }
    this.#report();
    if (nowMs - this.#saidMs >= beatMs - tickMs) this.#say({ type: "beat" });
  }

  #report(): void {
    if (this.#socket.writableLength > this.#limits.unreadBytes) return;
    const report = this.#reports.take();
    if (report !== undefined) this.#write(report);
  }

  #say(line: SidecarLine): void {
    this.#write(JSON.stringify(line));
  }

  #write(line: string): void {
    if (this.#isOver) return;
    this.#saidMs = performance.now();
    this.#socket.write(`${line}\n`);
  }

  #over(end: StreamEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#tick);
    // What it still has to send may go; for what it hears nobody is left.
    if (end.failure === undefined) this.#socket.end();
    else this.#socket.destroy();
    setTimeout(() => this.#socket.destroy(), this.#limits.connectMs).unref();
    this.#end(end);
  }
}
