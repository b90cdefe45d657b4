import { renameSync, writeFileSync } from "node:fs";
import { VERSION } from "@sallyport/core/version";
import { unreadPolicy } from "./admission/control.ts";
import { randomIdentity } from "./admission/identity-random.ts";
import type { InjectionOptions } from "./admission/options.ts";
import { certificateFromFiles, madeCertificate, servedWith } from "./certificate-source.ts";
import { serviceNames } from "./certificates.ts";
import { readConfig } from "./config.ts";
import { type Flags, HELP, Misuse, parseFlags } from "./flags.ts";
import { ROTATION } from "./kubernetes/certificate-rotation.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
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
  const cluster = await clusterOf(flags, injection, log);
  const delivery = cluster?.delivery;
  const controller = await startController({
    port: flags.port,
    certificate: await certificateFor(flags, cluster, log),
    injection,
    draw: cluster?.draw ?? randomIdentity(),
    ...(cluster && {
      podSecurityEnforced: cluster.podSecurityEnforced,
      finalPodsGuarded: cluster.finalPodsGuarded,
    }),
    ...(delivery && {
      boundariesOver: delivery.knowledge.boundariesOver,
      network: delivery.knowledge.network,
      control: delivery.control,
      moreMetrics: delivery.metrics,
    }),
    ...(flags.cluster?.lease !== undefined && { leading: cluster?.leading }),
    log,
    now: Date.now,
  });
  if (flags.caOut !== undefined && controller.ca !== undefined)
    writeWhole(flags.caOut, controller.ca);
  endOnSignal(controller, cluster, flags.shutdownGraceMs, log);
  log("info", "listening", { address: controller.address, port: controller.port });
  cluster?.serve(controller.lookAgain);
}

function namesOf({ service, namespace, clusterDomain, tlsNames }: Flags): string[] {
  return [...serviceNames(service, namespace, clusterDomain), ...tlsNames];
}

async function certificateFor(flags: Flags, cluster: Cluster | undefined, log: Log) {
  const certificate =
    cluster?.certificate ??
    (flags.tlsFiles
      ? await certificateFromFiles(flags.tlsFiles, log)
      : await madeCertificate(namesOf(flags), Date.now()));
  return (cluster?.prerequisites ?? []).reduce(servedWith, certificate);
}

/** The client of the API is loaded only where it is used: it costs 40 MB. */
async function clusterOf(
  flags: Flags,
  injection: InjectionOptions,
  log: Log,
): Promise<Cluster | undefined> {
  if (!flags.cluster) return undefined;
  const unread = flags.cluster.policyPort === undefined ? [] : unreadPolicy(injection);
  if (unread.length > 0)
    throw new Misuse(`${flags.config} says what nobody would read:\n  ${unread.join("\n  ")}`);
  const { settlingMs, overlapMs, ...named } = flags.cluster;
  const { joinCluster } = await import("./kubernetes/cluster.ts");
  return joinCluster({
    ...named,
    namespace: flags.namespace,
    names: namesOf(flags),
    host: serviceNames(flags.service, flags.namespace, flags.clusterDomain).at(-1) ?? "",
    rotation: { ...ROTATION, settlingMs, overlapMs },
    injection,
    log,
  });
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

/** The lease is given back at once: another leads while this one still answers. */
function endOnSignal(
  controller: Controller,
  cluster: Cluster | undefined,
  graceMs: number,
  log: Log,
): void {
  let ending = false;
  const end = (signal: NodeJS.Signals) => {
    if (ending) process.exit(EXIT.failed);
    ending = true;
    log("info", `${signal}: finishing; once more ends at once`);
    void Promise.all([controller.drain(graceMs, LIMITS.requestMs), cluster?.leave(graceMs)]).then(
      () => process.exit(EXIT.done),
    );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof Misuse ? EXIT.misused : EXIT.failed);
});
