#!/usr/bin/env node
// Under Node 24 or newer, the program; under an older one, the program under the Node 24 that npm brought along.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = join(dirname(fileURLToPath(import.meta.url)), "../src/main.ts");

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main);
} else {
  const name = `node-linux-${process.arch}`;
  let node;
  try {
    node = join(
      dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)),
      "bin/node",
    );
  } catch {
    console.error(
      `sallyport needs Node 24 or newer; this is ${process.version} and ${name} is not installed`,
    );
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // The terminal sends this one to both.
  process.on("SIGINT", () => {});
  child.on("exit", (status, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exitCode = status ?? 1;
  });
}
