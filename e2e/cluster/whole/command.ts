import { execFile } from "node:child_process";

/** Runs a program to its end and gives its standard output; a failure says what the program said. */
export function command(...argv: readonly [string, ...string[]]): Promise<string> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    execFile(program, args, { encoding: "utf8", maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${argv.join(" ")}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
