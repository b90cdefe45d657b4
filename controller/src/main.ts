import { renameSync, writeFileSync } from "node:fs";
import { randomIdentity } from "./admission/identity-random.ts";
import { VERSION } from "./admission/version.ts";
import { certificateFromFiles, madeCertificate } from "./certificate-source.ts";
import { serviceNames } from "./certificates.ts";
import { readConfig } from "./config.ts";
import { type Flags, HELP, Misuse, parseFlags } from "./flags.ts";
import { createLog, type Log } from "./log.ts";
import { type Controller, LIMITS, startController } from "./server.ts";

const EXIT = { done: 0, failed: 1, misused: 2 } as const;

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags === "help") return void process.stdout.write(HELP);
  if (flags === "version") return void process.stdout.write(`${VERSION}\n`);
  const injection = readConfig(flags.config);
  // Whoever read the log may go away; admission goes on.
  process.stdout.on("error", () => {});
  const log = createLog(flags.logLevel);
  const controller = await startController({
    port: flags.port,
    certificate: await certificateFor(flags, log),
    injection,
    draw: randomIdentity(),
    log,
    now: Date.now,
  });
  if (flags.caOut !== undefined && controller.ca !== undefined)
    writeWhole(flags.caOut, controller.ca);
  endOnSignal(controller, flags.shutdownGraceMs, log);
  log("info", "listening", { address: controller.address, port: controller.port });
}

function certificateFor({ tlsFiles, tlsNames, ...flags }: Flags, log: Log) {
  if (tlsFiles) return certificateFromFiles(tlsFiles, log);
  const names = serviceNames(flags.service, flags.namespace, flags.clusterDomain);
  return madeCertificate([...names, ...tlsNames], Date.now());
}

/** A reader of the file never sees half of it. */
function writeWhole(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
  } catch (error) {
    throw new Error(`cannot write the CA certificate: ${(error as Error).message}`);
  }
}

function endOnSignal(controller: Controller, graceMs: number, log: Log): void {
  let ending = false;
  const end = (signal: NodeJS.Signals) => {
    if (ending) process.exit(EXIT.failed);
    ending = true;
    log("info", `${signal}: finishing; once more ends at once`);
    void controller.drain(graceMs, LIMITS.requestMs).then(() => process.exit(EXIT.done));
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof Misuse ? EXIT.misused : EXIT.failed);
});
