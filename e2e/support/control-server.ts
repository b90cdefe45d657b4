import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import type { ServingCertificate } from "@sallyport/controller/certificates";
import type { SidecarLine } from "@sallyport/core/delivery";

export interface Told {
  /** To every stream that is open, and from its beginning to every one to come. */
  readonly say: object;
}

interface Listening extends Pick<ServingCertificate, "certificate" | "key"> {
  readonly authority: string;
  readonly host: string;
  readonly port: number;
}

/** control-server-main.ts at work inside a namespace. */
export class ControlServerProcess {
  /** All that sidecars have said, in one list. */
  readonly heard: SidecarLine[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    namespace: NetworkNamespace,
    listening: Listening,
  ): Promise<ControlServerProcess> {
    const main = join(import.meta.dirname, "control-server-main.ts");
    const child = namespace.spawn([process.execPath, main, JSON.stringify(listening)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const server = new ControlServerProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.once("exit", () => reject(new Error("the controller's end has ended")));
      if (child.stdout)
        createInterface(child.stdout).on("line", (text) => {
          const { line } = JSON.parse(text);
          if (line) server.heard.push(line);
          else resolve();
        });
    });
    return server;
  }

  say(line: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ say: line })}\n`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
