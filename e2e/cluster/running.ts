import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A component that runs until it is stopped. What it says goes to a file. */
export class Running {
  readonly name: string;
  readonly log: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  /** `tied`: the kernel kills it when the program that started it has ended, however that ended (PR_SET_PDEATHSIG). */
  constructor(
    name: string,
    argv: readonly string[],
    { log, tied }: { readonly log: string; readonly tied: boolean },
  ) {
    this.name = name;
    this.log = log;
    const output = openSync(log, "w");
    const [program = "", ...args] = tied ? ["setpriv", "--pdeathsig", "KILL", "--", ...argv] : argv;
    this.#child = spawn(program, args, { stdio: ["ignore", output, output], detached: !tied });
    closeSync(output);
    // A test's process ends when its tests have: no component keeps it.
    this.#child.unref();
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
  }

  /** Waits until `ready` says so; an error that has the end of the log if it ends first, or has not by then. */
  async until(ready: () => Promise<boolean>, seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1_000;
    while (!(await ready())) {
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null)
        throw this.#failure(`ended at once (${signalCode ?? `exit status ${exitCode}`})`);
      if (performance.now() > deadline) throw this.#failure(`is not ready after ${seconds} s`);
      await sleep(20);
    }
  }

  /** It is gone when this resolves. */
  async stop(): Promise<void> {
    this.#child.ref();
    this.kill();
    await this.#exited;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #failure(what: string): Error {
    const end = readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-15).join("\n");
    return new Error(`${this.name} ${what}. The end of its log:\n${end}`);
  }
}
