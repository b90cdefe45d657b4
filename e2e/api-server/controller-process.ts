import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "../../controller/src/main.ts");

export type Line = Readonly<Record<string, unknown>> & { readonly message: string };

/** A controller as its image runs it, but from the sources. */
export class ControllerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything it has logged so far. */
  readonly lines: Line[] = [];
  readonly #ended: Promise<number | string>;
  readonly #waiting = new Set<() => void>();
  #errors = "";

  constructor(args: readonly string[]) {
    // It ends with the test's process, however that ends.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, MAIN, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    this.#ended = once(child, "exit").then(([code, signal]) => code ?? signal);
    void this.#ended.then(() => this.#wake());
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#errors += text;
    });
    createInterface(child.stdout).on("line", (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
  }

  /** The first line, from the `from`th on, of which this is true; fails when it has not come in time. */
  async line(wanted: string | ((line: Line) => boolean), seconds = 30, from = 0): Promise<Line> {
    const isIt =
      typeof wanted === "string" ? (line: Line) => line.message.includes(wanted) : wanted;
    const late = AbortSignal.timeout(seconds * 1_000);
    for (;;) {
      const found = this.lines.slice(from).find(isIt);
      if (found) return found;
      const { exitCode, signalCode } = this.child;
      if (late.aborted || exitCode !== null || signalCode !== null)
        throw new Error(
          `it never said "${wanted}" (${exitCode ?? signalCode ?? "running"}): ${this.#errors}\n${this.lines.map((each) => JSON.stringify(each)).join("\n")}`,
        );
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Exit status or signal. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
