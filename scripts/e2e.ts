/**
 * `npm run e2e`: Sallyport on a whole cluster. Builds what is missing, raises the cluster, installs as docs/quick-start.md says,
 * runs e2e/whole-cluster/, and takes everything down again, whatever happened. Each phase says how long it took.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "@sallyport/core/version";
import { buildMissing } from "../e2e/cluster/build.ts";
import { ENVIRONMENT, foreignContext, sources } from "../e2e/cluster/environment.ts";
import { Box } from "../e2e/cluster/whole/box.ts";
import { type Cluster, useCluster } from "../e2e/cluster/whole/given.ts";
import { toolsImage } from "../e2e/cluster/whole/images.ts";
import { BUILT, lackingWholeCluster } from "../e2e/cluster/whole/needs.ts";
import { up } from "../e2e/cluster/whole/up.ts";
import { Installation } from "../e2e/whole-cluster/support/installation.ts";
import { buildImages } from "./images/build.ts";

const HELP = `npm run e2e -- [options] [PATTERN…]: the tests on a whole cluster, as root

  PATTERN   only the test files whose path contains one of the patterns
  --keep    leave the cluster up, with Sallyport on it
  --ipv4    a cluster without IPv6
  --help

A cluster that is up already (npm run cluster:up) is used, and kept. ${ENVIRONMENT.context}=NAME uses that context
of the kubeconfig instead, and never another; ${ENVIRONMENT.load}='kind load image-archive' brings the images there.
Exit status: 0 all passed, 1 something failed, 2 it cannot run here.
`;

const ROOT = resolve(import.meta.dirname, "..");
const TESTS = "e2e/whole-cluster/*.test.ts";
const FAILED = 1;
const CANNOT = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: "boolean", default: false },
    ipv4: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const say = (line: string) => console.error(line);
const times: string[] = [];

/** Says what begins, and keeps how long it took. */
async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  say(`\n── ${name}`);
  const start = performance.now();
  try {
    return await work();
  } finally {
    times.push(`${name} ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  }
}

const interruption = new AbortController();
const interrupted = once(interruption.signal, "abort").then(() => {
  throw new Error(`interrupted by ${interruption.signal.reason}`);
});
interrupted.catch(() => undefined); // whoever waits for something hears of it

/** An interruption ends the waiting; what was begun ends with the cluster. */
const phase = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  timed(name, () => Promise.race([work(), interrupted]));

const foreign = foreignContext();

/** Why this machine cannot; what can be built has been. */
async function lacking(): Promise<string | false> {
  const from = sources();
  const programs = [...(foreign ? [] : BUILT), "helm", "kubectl"] as const;
  if (!foreign && process.getuid?.() !== 0) return lackingWholeCluster(from);
  try {
    await phase("build", () => buildMissing(programs, from, say));
  } catch (error) {
    interruption.signal.throwIfAborted();
    return (error as Error).message;
  }
  return foreign ? false : lackingWholeCluster(from);
}

async function images(): Promise<readonly string[]> {
  const from = sources();
  const built = await buildImages({ cache: from.cache, tag: VERSION });
  const tools = await toolsImage(from, say);
  return [...built, tools].map(({ file }) => file);
}

async function raise(archives: readonly string[]): Promise<Cluster> {
  if (!foreign && !Box.find()?.complete)
    await up({ families: values.ipv4 ? "ipv4" : "dual", tied: !values.keep, say });
  const cluster = await useCluster();
  await cluster.loadImages(archives);
  return cluster;
}

async function suite(files: readonly string[]): Promise<boolean> {
  const options = ["--test", "--test-concurrency=1", "--test-timeout=600000"];
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    stdio: "inherit",
    signal: interruption.signal,
  });
  child.on("error", () => undefined); // that it was aborted is told by phase()
  const [status] = await once(child, "exit");
  return status === 0;
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const files = globSync(TESTS, { cwd: ROOT })
    .filter((file) => positionals.length === 0 || positionals.some((each) => file.includes(each)))
    .sort();
  if (files.length === 0) {
    say(`no test file matches ${positionals.join(" ")}`);
    return CANNOT;
  }
  const reason = await lacking();
  if (reason) {
    say(`\nNOTHING TESTED: ${reason.replace("NOT TESTED HERE: ", "")}`);
    return CANNOT;
  }
  const archives = await phase("images", images);
  const standing = !foreign && Box.find()?.complete;
  await using undo = new AsyncDisposableStack();
  if (!foreign && !standing && !values.keep) undo.defer(() => undoing("down", Box.remove));
  const { kubeconfig } = await phase("up", () => raise(archives));
  const installation = new Installation(kubeconfig);
  const there = await installation.isThere();
  if (!there && !standing && !values.keep)
    undo.defer(async () => {
      if (foreign || !interruption.signal.aborted)
        await undoing("uninstall", () => installation.remove());
    });
  await phase("install", () => (there ? installation.renew() : installation.make()));
  return (await phase("suite", () => suite(files))) ? 0 : FAILED;
}

/** What cannot be undone fails the run, and nothing else is left undone for it. */
async function undoing(name: string, work: () => Promise<void>): Promise<void> {
  await timed(name, work).catch((error: Error) => {
    say(error.message);
    process.exitCode = FAILED;
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => interruption.abort(signal));
try {
  const status = await main();
  process.exitCode ||= status;
} catch (error) {
  say(`\n${(error as Error).message}`);
  process.exitCode = FAILED;
}
if (times.length > 0) say(`\n${times.join(", ")}`);
// What an interruption has left running is not waited for.
process.exit();
