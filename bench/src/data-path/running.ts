import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bed, CORES, GROUP } from "./bed.ts";
import type { Command } from "./contender.ts";

const LISTENING_WITHIN_MS = 10_000;

/** A contender that listens. */
export interface Running {
  /** From fork to a listening socket, with the few milliseconds that pinning and dropping privileges take. */
  readonly listeningMs: number;
  /** Its processes, workers included. */
  pids(): number[];
  memory(): Memory;
  stop(): Promise<void>;
}

/** In MB, over all its processes. */
export interface Memory {
  readonly rss: number;
  /**
   * Dirty pages: what one more costs a node. Clean pages of files (the program's text) are shared by all that run it.
   * A page that its own processes share counts once.
   */
  readonly private: number;
}

/** Pinned, as a user of its own without capabilities: the kernel's limits on pipe pages are a user's. */
export async function start(
  { argv, env = {}, writesRecords = false }: Command,
  port: number,
  uid: number,
  { near }: Bed,
): Promise<Running> {
  const startedMs = performance.now();
  const records = writesRecords
    ? spawn("cat", { stdio: ["pipe", "ignore", "inherit"] })
    : undefined;
  const child = near.spawn(
    [
      ...["taskset", "-c", String(CORES.proxy)],
      ...["setpriv", "--reuid", String(uid), "--regid", String(GROUP), "--clear-groups"],
      ...["--inh-caps", "-all", "--bounding-set", "-all", "--pdeathsig", "KILL", "--"],
      ...argv,
    ],
    {
      stdio: ["ignore", records?.stdin ?? "ignore", "pipe"],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    },
  );
  records?.stdin?.destroy(); // the contender's alone from here on: cat ends with it
  let complaint = "";
  child.stderr?.on("data", (text) => {
    complaint = `${complaint}${text}`.slice(-2_000);
  });
  const stop = () => end(child);
  while (!isListening(near.pid, port)) {
    const late = performance.now() - startedMs > LISTENING_WITHIN_MS;
    if (late || hasEnded(child)) {
      await stop();
      throw new Error(`it does not listen${late ? " in time" : ""}: ${lastLine(complaint)}`);
    }
    await sleep(1);
  }
  const listeningMs = performance.now() - startedMs;
  const pids = () => family(child.pid ?? 0);
  return { listeningMs, pids, memory: () => memoryOf(pids()), stop };
}

/** State 0A of /proc/net/tcp is TCP_LISTEN; the file is that of the process's network namespace. */
export function isListening(pid: number, port: number): boolean {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, "0");
  return new RegExp(`:${hexadecimal} 00000000:0000 0A`).test(
    readFileSync(`/proc/${pid}/net/tcp`, "utf8"),
  );
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  for (const pid of family(child.pid ?? 0)) process.kill(pid, "SIGKILL");
  await ended;
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(family)];
}

function memoryOf(pids: readonly number[]): Memory {
  const sum = (field: string) =>
    pids
      .map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))
      .map((rollup) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(rollup)?.[1]))
      .reduce((total, kb) => total + kb / 1_024, 0);
  return { rss: sum("Rss"), private: sum("Pss_Dirty") };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "it said nothing";
}
