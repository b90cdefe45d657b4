import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Fault } from "./fault.ts";

const LIMITS = {
  /** How long to wait for another program that holds the lock. */
  lockSeconds: 5,
  /** How long one call may take in all. */
  callMs: 30_000,
} as const;

/** The commands of one backend for one family: `iptables-nft`, from which `iptables-nft-save` and its like are made. */
export class Iptables {
  readonly #prefix: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(prefix: string, env: NodeJS.ProcessEnv) {
    this.#prefix = prefix;
    this.#env = env;
  }

  version(): Promise<string | Fault> {
    return this.#call("restore", ["--version"]);
  }

  save(): Promise<string | Fault> {
    return this.#call("save", []);
  }

  /** Whether the document would be taken; how much of that the kernel is asked differs by backend. */
  test(document: string): Promise<string | Fault> {
    return this.#call("restore", ["--noflush", "--test", WAIT], document);
  }

  restore(document: string): Promise<string | Fault> {
    return this.#call("restore", ["--noflush", WAIT], document);
  }

  async #call(action: "save" | "restore", args: string[], input = ""): Promise<string | Fault> {
    const command = `${this.#prefix}-${action}`;
    const child = spawn(command, args, {
      env: this.#env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    // Who fails before having read everything says why on standard error, not through a broken pipe.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    // Not spawn's own timeout: its timer outlives a command that is not found, and init with it.
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMITS.callMs);
    try {
      const [stdout, stderr] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      if (child.exitCode === 0) return stdout;
      if (child.signalCode)
        return new Fault(
          command,
          `ended by ${child.signalCode} after ${LIMITS.callMs / 1000} s`,
          "timeout",
        );
      return new Fault(command, said(command, stderr, input) || `exit status ${child.exitCode}`);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "ENOENT"
        ? new Fault(command, "not found", "absent")
        : new Fault(command, message);
    } finally {
      clearTimeout(limit);
    }
  }
}

const WAIT = `--wait=${LIMITS.lockSeconds}`;

/** Standard error as one line without the command's own name, and the line of the document that it speaks of. */
export function said(command: string, stderr: string, input: string): string {
  const line = stderr
    .split("\n")
    .map((part) => part.replace(/^(\S*tables\S*( v\S+( \(\w+\))?)?: )+/, "").trim())
    .filter((part) => part !== "" && !/^(Try `|Perhaps |Error occurred at line)/.test(part))
    .join(" ");
  const number = /\bline:? (\d+)/.exec(stderr)?.[1];
  const quoted = number && input.split("\n")[Number(number) - 1];
  return (quoted ? `${line} (${quoted})` : line)
    .replaceAll(`${command}: `, "")
    .replace(/[.:]+$/, "");
}
