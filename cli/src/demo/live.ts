import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { PORTS, PROXY_CONFIG_ENV } from "@sallyport/proxy/contract";
import type { Host } from "../lab/container.ts";
import type { Pod } from "../lab/pod.ts";
import { httpGet, type RunningContainer, startSidecar } from "../lab/run-pod.ts";
import { type App, attempt } from "./app.ts";
import type { Outcome } from "./attempt.ts";
import { NEW_HOST } from "./attempts.ts";
import { LATER, POLICY } from "./policy.ts";

interface Live {
  readonly pod: Pod;
  readonly host: Host;
  /** The sidecar so far, whose policy is in its environment and stays. */
  readonly sidecar: RunningContainer;
  readonly folder: string;
  readonly app: App;
  say(line: string): void;
}

/** One column of text, and whether it went as it should. */
type Step = readonly [what: string, expected: string, seen: string];

/**
 * A rule added and removed while the sidecar runs. The sidecar is started anew with its policy in a file, as it would be
 * without a controller. True when all went as it should.
 */
export async function changeWhileItRuns({
  pod,
  host,
  sidecar,
  folder,
  app,
  say,
}: Live): Promise<boolean> {
  const policyFile = join(folder, "sidecar.json");
  const { container } = sidecar;
  const config = JSON.parse(
    container.env?.find(({ name }) => name === PROXY_CONFIG_ENV)?.value ?? "{}",
  );
  const usePolicy = (...more: (typeof LATER)[]) => {
    const policy = { ...config.policy, rules: [...POLICY.rules, ...more] };
    writeFileSync(`${policyFile}.next`, JSON.stringify({ ...config, policy }), { mode: 0o644 });
    renameSync(`${policyFile}.next`, policyFile);
  };
  chmodSync(folder, 0o755);
  usePolicy();
  sidecar.process.kill("SIGTERM");
  await sidecar.ended;
  await startSidecar(pod, { ...container, args: ["--config", policyFile] }, host);

  const steps: Step[] = [];
  const tryHost = async (what: string, expected: Outcome) => {
    const [seen] = await attempt(app, [NEW_HOST]);
    steps.push([what, expected, seen?.outcome ?? "nothing"]);
  };
  await tryHost("without a rule", "TLS alert");
  usePolicy(LATER);
  await inForce(host, 2);
  await tryHost("rule added", "answered");
  const held = app({ attempts: [], hold: { address: NEW_HOST.address, port: 9_000 } });
  const said = linesOf(held);
  steps.push(["a connection under it", "open", await said.next()]);
  usePolicy();
  await inForce(host, 3);
  steps.push(["rule removed: that connection", "ECONNRESET", await said.next()]);
  await tryHost("and the next one", "TLS alert");

  say(`\n${styleText("bold", "A rule added and removed while the sidecar runs")}`);
  const isRight = ([, expected, seen]: Step) => expected === seen;
  for (const step of steps) say(`${isRight(step) ? "ok" : "NO"}  ${step[0].padEnd(30)} ${step[2]}`);
  return steps.every(isRight);
}

async function inForce({ namespace }: Host, version: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const stats = await httpGet(namespace, PORTS.admin, "/stats?filter=snapshot.version");
    if (stats.includes(`: ${version}\n`)) return;
    await sleep(50);
  }
  throw new Error(`the sidecar did not take policy ${version}`);
}

/** The lines of a process, each asked for, or what it ended with. */
function linesOf(child: ChildProcess): { next(): Promise<string> } {
  if (!child.stdout) throw new Error("the app has no output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { next: async () => String((await lines.next()).value ?? (await once(child, "close"))) };
}
