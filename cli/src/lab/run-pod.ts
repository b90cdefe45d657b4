import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Host, startContainer } from "./container.ts";
import type { Container, Pod } from "./pod.ts";

/** A container's end of the pipe: its lines as they come. */
export interface RunningContainer {
  readonly container: Container;
  readonly process: ChildProcess;
  readonly output: readonly string[];
  readonly errors: readonly string[];
  /** Resolves with the exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export interface Progress {
  /** An init container that ran to its end. */
  ended(container: RunningContainer): void;
  /** A sidecar whose startup probe has succeeded. */
  started(container: RunningContainer, afterMs: number): void;
}

const PROBE_MS = 20;
const STARTUP_MS = 20_000;

/**
 * Runs a pod's init containers as the kubelet does: in order, each to its end, sidecars (restartPolicy Always) until
 * their startup probe succeeds. Gives the sidecars, which go on running.
 */
export async function runInitContainers(
  pod: Pod,
  host: Host,
  progress: Progress,
): Promise<RunningContainer[]> {
  const sidecars: RunningContainer[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      const startedMs = performance.now();
      const sidecar = await startSidecar(pod, container, host);
      progress.started(sidecar, performance.now() - startedMs);
      sidecars.push(sidecar);
    } else {
      const running = run(pod, container, host);
      const status = await running.ended;
      if (status !== 0) throw failure(running, `ended with ${status}`);
      progress.ended(running);
    }
  }
  return sidecars;
}

/** Starts a container and waits for its startup probe. */
export async function startSidecar(
  pod: Pod,
  container: Container,
  host: Host,
): Promise<RunningContainer> {
  const running = run(pod, container, host);
  await startupProbe(running, host);
  return running;
}

function run(pod: Pod, container: Container, host: Host): RunningContainer {
  const child = startContainer(pod, container, host, ["ignore", "pipe", "pipe"]);
  const output: string[] = [];
  const errors: string[] = [];
  if (child.stdout) createInterface(child.stdout).on("line", (line) => output.push(line));
  if (child.stderr) createInterface(child.stderr).on("line", (line) => errors.push(line));
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (status, signal) => resolve(status ?? signal ?? 1));
  });
  return { container, process: child, output, errors, ended };
}

async function startupProbe(running: RunningContainer, { namespace }: Host): Promise<void> {
  const probe = running.container.startupProbe?.httpGet;
  if (!probe) return;
  const until = performance.now() + STARTUP_MS;
  while (performance.now() < until) {
    if (running.process.exitCode !== null) break;
    try {
      await httpGet(namespace, Number(probe.port), probe.path ?? "/");
      return;
    } catch {
      await sleep(PROBE_MS);
    }
  }
  throw failure(running, "did not start");
}

/** The body of a 200 answer on the loopback of a namespace. */
export function httpGet(namespace: Host["namespace"], port: number, path: string): Promise<string> {
  return namespace.run(
    process.execPath,
    "-e",
    `require("http").get(${JSON.stringify(`http://127.0.0.1:${port}${path}`)}, (answer) => {
      if (answer.statusCode !== 200) process.exitCode = 1;
      answer.pipe(process.stdout);
    }).on("error", () => { process.exitCode = 1; })`,
  );
}

function failure({ container, errors, output }: RunningContainer, what: string): Error {
  const said = [...errors, ...output].slice(-5).join("\n  ");
  return new Error(`container ${container.name} ${what}${said && `; it said:\n  ${said}`}`);
}
