import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/**
 * recording-origin-main.ts at work inside a namespace, on so many ports of every address: one for each thing that is tried,
 * so that every byte that arrives is known to be of that one.
 */
export class RecordingOriginProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(
    namespace: NetworkNamespace,
    firstPort: number,
    count: number,
  ): Promise<RecordingOriginProcess> {
    const main = join(import.meta.dirname, "recording-origin-main.ts");
    const child = namespace.spawn([process.execPath, main, `${firstPort}`, `${count}`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (!child.stdout) throw new Error("the origin cannot be heard");
    const lines = createInterface(child.stdout);
    const ended = once(child, "exit").then(() => {
      throw new Error("the origin has ended");
    });
    await Promise.race([once(lines, "line"), ended]);
    ended.catch(() => {});
    return new RecordingOriginProcess(child, lines);
  }

  /** What has arrived on each port so far (latin1), once every connection there is over. */
  async arrived(): Promise<ReadonlyMap<number, string>> {
    const line = once(this.#lines, "line");
    this.#child.stdin?.write("\n");
    const told: [port: number, text: string][] = JSON.parse((await line)[0]);
    const byPort = new Map<number, string>();
    for (const [port, text] of told) byPort.set(port, (byPort.get(port) ?? "") + text);
    return byPort;
  }
}
