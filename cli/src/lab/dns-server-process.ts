import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Question, Zone } from "./dns-server.ts";
import type { NetworkNamespace } from "./namespace.ts";

export type ZoneChange = Readonly<Record<string, Zone[string] | null>>;

/** dns-server-main.ts at work inside a namespace. */
export class DnsServerProcess {
  /** All that it has heard. */
  readonly asked: Question[] = [];
  readonly #child: ChildProcess;
  readonly #waiting: (() => void)[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout)
      createInterface(child.stdout).on("line", (line) => {
        const said = JSON.parse(line);
        if ("set" in said) this.#waiting.shift()?.();
        else this.asked.push(said);
      });
  }

  /** Resolves when it answers, on UDP and TCP. */
  static async start(
    namespace: NetworkNamespace,
    address: string,
    zone: Zone,
    port = 53,
  ): Promise<DnsServerProcess> {
    const main = join(import.meta.dirname, "dns-server-main.ts");
    const child = namespace.spawn([process.execPath, main, address, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const server = new DnsServerProcess(child);
    await server.set(zone);
    return server;
  }

  /** Resolves when the next question is answered by it. */
  set(change: ZoneChange): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#child.once("exit", () => reject(new Error("the name server has ended")));
      this.#child.stdin?.write(`${JSON.stringify(change)}\n`);
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
