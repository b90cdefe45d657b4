import type { ChildProcess } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** What one side does with a connection. */
export interface Conversation {
  /** Bytes of the keyed stream to send, and then an end unless it is to `hold`; absent: it ends when the other does. */
  readonly say?: number;
  readonly key?: number;
  /** false: never reads. */
  readonly hear?: false;
  readonly ending?: "echo" | "hold";
}

export interface Command extends Conversation {
  readonly do: "serve" | "crowd" | "resetAll" | "readAll";
  readonly address: string;
  readonly port: number;
  readonly count?: number;
}

export interface Heard {
  readonly received: number;
  readonly sha256: string;
  /** `end`, or the code of the error. */
  readonly how: string;
}

/** peer-main.ts at work inside a namespace. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: unknown) => void>();
  readonly #served: (Heard & { served: number })[] = [];
  #wake = () => {};
  #count = 0;

  constructor(namespace: NetworkNamespace) {
    this.#child = namespace.spawn([process.execPath, join(import.meta.dirname, "peer-main.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout)
      createInterface(this.#child.stdout).on("line", (line) => {
        const said = JSON.parse(line);
        if ("served" in said) {
          this.#served.push(said);
          this.#wake();
        } else this.#answers.get(said.id)?.(said);
      });
  }

  async serve(address: string, port: number, conversation: Conversation): Promise<void> {
    await this.#ask({ do: "serve", address, port, ...conversation });
  }

  async dial(address: string, port: number, conversation: Conversation): Promise<Heard> {
    const [heard] = await this.crowd(1, address, port, conversation);
    if (!heard) throw new Error("nothing was dialled");
    return heard;
  }

  async crowd(
    count: number,
    address: string,
    port: number,
    conversation: Conversation,
  ): Promise<readonly Heard[]> {
    const answer = await this.#ask({ do: "crowd", count, address, port, ...conversation });
    return (answer as { heard: Heard[] }).heard;
  }

  /** Resets every connection that it has. */
  async resetAll(): Promise<void> {
    await this.#ask({ do: "resetAll", address: "", port: 0 });
  }

  /** Begins to read where it did not. */
  async readAll(): Promise<void> {
    await this.#ask({ do: "readAll", address: "", port: 0 });
  }

  /** What the server on this port heard of the next connection that has ended. */
  async served(port: number): Promise<Heard> {
    for (;;) {
      const at = this.#served.findIndex(({ served }) => served === port);
      const [found] = at >= 0 ? this.#served.splice(at, 1) : [];
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #ask(command: Command): Promise<unknown> {
    this.#count += 1;
    const id = this.#count;
    this.#child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }
}

/** The hash of what a peer says. */
export function hashOf(bytes: number, key = 1): string {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, key), Buffer.alloc(16));
  const hash = createHash("sha256");
  const zeros = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= zeros.length)
    hash.update(cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros));
  return hash.digest("hex");
}
