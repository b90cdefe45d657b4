import { Readable } from "node:stream";
import { inject } from "@sallyport/cli/inject/command";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a shell would run it, with `stdin` to read. */
export async function runInject(args: readonly string[], stdin = ""): Promise<Ran> {
  const sink = () => {
    const chunks: string[] = [];
    return {
      text: () => chunks.join(""),
      write: (text: string, done: () => void) => {
        chunks.push(text);
        done();
      },
    };
  };
  const [stdout, stderr] = [sink(), sink()];
  const status = await inject(args, { stdin: Readable.from([stdin]), stdout, stderr });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

/** Injected from standard input, every pod that does not object. */
export async function injected(text: string): Promise<string> {
  const { status, stdout, stderr } = await runInject(["--all", "-f", "-"], text);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

export async function ejected(text: string): Promise<string> {
  const { status, stdout, stderr } = await runInject(["--eject", "-f", "-"], text);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
