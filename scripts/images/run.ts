import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What the program printed. Throws one error with the program's last words when it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { code, stderr, stdout } = error as { code: unknown; stderr: string; stdout: string };
    const said = (stderr || stdout || String(code)).trim().split("\n").slice(-12).join("\n");
    throw new Error(`${program} ${args.join(" ")}: ${said}`);
  }
}

export async function succeeds(program: string, ...args: readonly string[]): Promise<boolean> {
  return run(program, ...args).then(
    () => true,
    () => false,
  );
}
