import type { ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";

export interface Limits {
  readonly input?: string | Buffer;
  /** 20 s unless told. */
  readonly timeoutMs?: number;
}

export interface Ended {
  /** The exit status, or the signal's name. */
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Waits for a program's end; one that takes too long is killed. */
export async function finish(
  child: ChildProcess,
  { input, timeoutMs = 20_000 }: Limits = {},
): Promise<Ended> {
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  child.stdin?.on("error", () => {}).end(input ?? "");
  const status = new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
  const ended = await Promise.all([
    status,
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
  ]);
  clearTimeout(timer);
  return { status: ended[0], stdout: ended[1], stderr: ended[2] };
}
