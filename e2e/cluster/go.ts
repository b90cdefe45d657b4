import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Sources } from "./environment.ts";
import { executable } from "./programs.ts";

export const findGo = ({ path }: Sources): string | undefined =>
  [...path, "/usr/local/go/bin", "/usr/lib/go/bin"]
    .map((folder) => join(folder, "go"))
    .find(executable);

/** Gives its standard output. What it builds is static, so that it also runs in images made from nothing. */
export function runGo(go: string, args: readonly string[], folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("nice", [go, ...args], {
      cwd: folder,
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    const errors: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    child.once("error", reject);
    child.once("close", (code) => {
      const said = errors.join("").trim().split("\n").slice(-20).join("\n");
      if (code === 0) resolve(output.join(""));
      else reject(new Error(`go ${args.join(" ")} in ${folder} failed:\n${said}`));
    });
  });
}
