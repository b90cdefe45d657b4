import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { sources } from "../../cluster/environment.ts";
import { requirePrograms } from "../../cluster/programs.ts";
import { ROOT } from "./quick-start.ts";

/** Somebody at a terminal in the checkout, whose kubectl and helm know one cluster. */
export class Terminal implements AsyncDisposable {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #background: ChildProcess[] = [];

  constructor(kubeconfig: string) {
    const { kubectl, helm } = requirePrograms(["kubectl", "helm"], sources());
    const path = [kubectl, helm].map(dirname);
    // npx and the node that it runs are this one's neighbours.
    path.push(dirname(process.execPath), join(ROOT, "node_modules/.bin"));
    this.#environment = {
      ...process.env,
      KUBECONFIG: kubeconfig,
      PATH: [...path, ...sources().path].join(":"),
    };
  }

  /** Types a line; gives what it printed. One that ends in `&` goes on, and has printed its first line. */
  async type(line: string): Promise<string> {
    const [, foreground] = /^(.*)&$/.exec(line) ?? [];
    const child = spawn("bash", ["-c", foreground ? `exec ${foreground}` : line], {
      cwd: ROOT,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      // What goes on may have started others: all of them end together.
      detached: foreground !== undefined,
    });
    const ended = once(child, "close");
    if (foreground !== undefined) {
      this.#background.push(child);
      const said = once(createInterface(child.stdout), "line");
      const early = ended.then(([status]) =>
        Promise.reject(new Error(`${line}: ended, ${status}`)),
      );
      return String(await Promise.race([said, early]));
    }
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    const [status] = await ended;
    if (status !== 0) throw new Error(`${line}\nended with ${status}:\n${printed.trim()}`);
    return printed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#background) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      process.kill(-(child.pid as number), "SIGKILL");
      await once(child, "exit");
    }
  }
}
