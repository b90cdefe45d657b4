import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { givenCluster } from "./given.ts";
import { environmentOf } from "./kubectl.ts";

const SECONDS = 60;

/** A kubectl that goes on until it is stopped (`logs --follow`, `get --watch`, `port-forward`), and the lines it says. */
export class RunningKubectl implements AsyncDisposable {
  /** Everything said so far, standard output and error. */
  readonly lines: string[] = [];
  readonly #args: readonly string[];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #news = Promise.withResolvers<void>();

  constructor(...args: readonly string[]) {
    const cluster = givenCluster();
    this.#args = args;
    this.#child = spawn(cluster.kubectl, args, {
      env: environmentOf(cluster),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#child, "close");
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface(stream).on("line", (line) => this.#add(line));
    void this.#ended.then(() => this.#news.resolve());
  }

  /** The first line, said or yet to be said, of which this can be told. */
  async line<T>(told: (line: string) => T | undefined, seconds = SECONDS): Promise<T> {
    const timeout = AbortSignal.timeout(seconds * 1_000);
    const late = once(timeout, "abort");
    for (let i = 0; ; i++) {
      while (i >= this.lines.length) {
        if (timeout.aborted || this.#child.exitCode !== null) throw this.#silence();
        await Promise.race([this.#news.promise, late]);
      }
      const found = told(this.lines[i] ?? "");
      if (found !== undefined) return found;
    }
  }

  /** It has ended by itself: what was followed is over. */
  async end(): Promise<readonly string[]> {
    await this.#ended;
    return this.lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #silence(): Error {
    const said = this.lines.slice(-20).join("\n");
    return new Error(`kubectl ${this.#args.join(" ")} did not say what was awaited, but:\n${said}`);
  }
}
