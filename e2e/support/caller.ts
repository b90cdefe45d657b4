import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** What an app does with one connection. */
export interface Call {
  readonly address: string;
  readonly port: number;
  /** Said piece by piece, each in a segment of its own. */
  readonly say?: readonly Buffer[];
  /** Before the first piece. */
  readonly silentMs?: number;
  /** Between two pieces. */
  readonly gapMs?: number;
  /** After a handshake by Node's own client with this server name; empty: without any. */
  readonly tls?: string;
  /** Heard when there are as many bytes; when there is a line unless told. 0: when it is connected. */
  readonly enough?: number;
}

export interface Heard {
  /** Byte by byte (latin1). */
  readonly text: string;
  /** `enough`, `end`, the code of the error; `hangs` where nothing came of it in 15 s. */
  readonly how: string;
  /** From the connection's being made. */
  readonly ms: number;
}

export interface Held {
  readonly greeting: Heard;
  /** How it ended, without the app's doing. */
  readonly ended: Promise<Heard>;
  /** Says something more; what is heard then, as far as it is enough, or how it has ended. */
  say(more: Buffer): Promise<Heard>;
}

/** How a crowd's connections ended, counted. */
export type Endings = Readonly<Record<string, number>>;

export interface Crowd {
  readonly ended: Promise<Endings>;
}

type Command = "call" | "hold" | "say" | "crowd" | "datagram" | "hangUp";

/** A command as it crosses to caller-main.ts, and the two answers there may be to it. */
export interface Order extends Omit<Call, "say"> {
  readonly id: number;
  readonly do: Command;
  readonly say: readonly string[];
  readonly count: number;
  /** Which connection is meant: the order that made it. */
  readonly of?: number;
}
export interface Report {
  readonly id: number;
  readonly first?: unknown;
  readonly last?: unknown;
}

/** As whom a process runs. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

interface Waiting {
  readonly id: number;
  readonly first: PromiseWithResolvers<unknown>;
  readonly last: PromiseWithResolvers<unknown>;
}

/** An app: caller-main.ts at work inside a namespace, as root or as somebody else. */
export class Caller {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  constructor(namespace: NetworkNamespace, user?: User) {
    const as = user
      ? ["setpriv", "--reuid", `${user.uid}`, "--regid", `${user.gid}`, "--clear-groups", "--"]
      : [];
    const main = join(import.meta.dirname, "caller-main.ts");
    this.#child = namespace.spawn([...as, process.execPath, main], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout)
      createInterface(this.#child.stdout).on("line", (line) => {
        const report: Report = JSON.parse(line);
        const waiting = this.#waiting.get(report.id);
        if ("first" in report) waiting?.first.resolve(report.first);
        if ("last" in report) waiting?.last.resolve(report.last);
      });
  }

  /** Hangs up when it has heard enough. */
  async call(call: Call): Promise<Heard> {
    return (await this.#order("call", call).last.promise) as Heard;
  }

  /** Resolves when enough has been heard; the connection stays open. */
  async hold(call: Call): Promise<Held> {
    const { id, first, last } = this.#order("hold", call);
    const ended = last.promise as Promise<Heard>;
    const greeting = (await Promise.race([first.promise, ended])) as Heard;
    const say = async (more: Buffer) => {
      const { address, port } = call;
      const order = this.#order("say", { address, port, say: [more], enough: 1 }, 1, id);
      return (await order.last.promise) as Heard;
    };
    return { greeting, ended, say };
  }

  /** Resolves when all of them are connected and have said their piece. */
  async crowd(count: number, call: Call): Promise<Crowd> {
    const { first, last } = this.#order("crowd", call, count);
    await first.promise;
    return { ended: last.promise as Promise<Endings> };
  }

  /** `answered`, `silence`, or the code of the error. */
  async datagram(address: string, port: number, said = Buffer.from("hello")): Promise<string> {
    return (await this.#order("datagram", { address, port, say: [said] }).last.promise) as string;
  }

  /** Resets all that it holds. */
  async hangUp(): Promise<void> {
    await this.#order("hangUp", { address: "", port: 0 }).last.promise;
  }

  #order(what: Command, { say = [], ...call }: Call, count = 1, of?: number): Waiting {
    this.#count += 1;
    const id = this.#count;
    const pieces = say.map((piece) => piece.toString("hex"));
    const order: Order = { ...call, id, do: what, say: pieces, count, ...(of && { of }) };
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const waiting = { id, first: Promise.withResolvers(), last: Promise.withResolvers() };
    this.#waiting.set(id, waiting);
    return waiting;
  }
}
