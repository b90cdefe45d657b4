import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { createAuthority } from "@sallyport/controller/certificates";
import type { DecisionRecord } from "@sallyport/core/record";
import { PORTS } from "@sallyport/proxy/contract";
import { type Host, startContainer } from "../lab/container.ts";
import type { Container, Pod } from "../lab/pod.ts";
import { httpGet, type RunningContainer, runInitContainers } from "../lab/run-pod.ts";
import { type App, appContainer, appIn, attempt } from "./app.ts";
import { ATTEMPTS, POLICY } from "./attempts.ts";
import { DEPLOYMENT, NAMESPACE, podOfDeployment } from "./deployment.ts";
import { changeWhileItRuns } from "./live.ts";
import { attemptTable, changedStats, judge, recordTable } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { admit, startWebhook } from "./webhook.ts";
import { WORLD } from "./world.ts";

type Say = (line: string) => void;

/**
 * The demo's story: webhook → admission → namespaces → the patched pod's init and sidecar containers → its app. What it
 * opens it puts on `cleanUps`, to be undone in reverse.
 */
export async function play(
  programs: string,
  command: readonly string[],
  say: Say,
  cleanUps: (() => unknown)[],
): Promise<number> {
  const step = stepper(say);
  say(
    `${styleText("bold", "Sallyport demo")}: one pod, its sidecar, the world outside; no cluster\n`,
  );

  const folder = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const webhook = await startWebhook(join(programs, "controller/controller.cjs"), folder, {
    policy: POLICY,
    resolvers: [WORLD.resolver],
  });
  cleanUps.push(() => webhook.process.kill("SIGKILL"));
  step(
    "webhook",
    `https://127.0.0.1:${webhook.port}/mutate/pods, certificate signed by its own CA`,
  );

  const admitted = await admit(webhook, podOfDeployment(), NAMESPACE);
  const pod = named(admitted.pod as unknown as Pod);
  step(
    "admission",
    `the pod of Deployment ${NAMESPACE}/${DEPLOYMENT}: allowed, patched by ${admitted.operations} operations`,
  );
  for (const warning of admitted.warnings) say(`             warning: ${warning}`);

  const authority = await createAuthority(Date.now());
  const stage = await setStage(await authority.issue(Object.keys(WORLD.names), Date.now()));
  cleanUps.push(() => stage.close());
  step("namespaces", `pod ${WORLD.pod.join(" and ")}; outside, ${WORLD.servers.length} servers`);

  const host: Host = {
    namespace: stage.pod,
    images: imagesOf(pod, programs),
    resolvConf: `nameserver ${WORLD.resolver}\n`,
  };
  const [sidecar] = await runInitContainers(pod, host, {
    ended: ({ container, output }) =>
      step(
        container.name,
        `${userOf(container)}: ended with 0${output.map((line) => `\n             ${line}`).join("")}`,
      ),
    started: ({ container }, afterMs) =>
      step(container.name, `${userOf(container)}: ready after ${Math.round(afterMs)} ms`),
  });
  if (!sidecar) throw new Error("the patched pod has no sidecar");
  say("");

  if (command.length > 0) return runCommand(pod, host, command, sidecar, say);
  const app = appIn(pod, host, authority.certificate);
  const wrong = await runAttempts(app, stage, sidecar, say);
  const live = { pod, host, sidecar, folder, app, say };
  return (await changeWhileItRuns(live)) && wrong === 0 ? 0 : 1;
}

/** The attempts of the table, one after the other; gives how many did not go as it says. */
async function runAttempts(
  app: App,
  stage: Stage,
  sidecar: RunningContainer,
  say: Say,
): Promise<number> {
  const before = await httpGet(stage.pod, PORTS.admin, "/stats");
  const seen = await attempt(app, ATTEMPTS);
  const records = await settledRecords(stage, sidecar);
  const judged = judge(ATTEMPTS, seen, records);
  for (const line of attemptTable(judged)) say(line);
  say(`\n${styleText("bold", "What the app was told of its request to another name")}`);
  for (const line of (seen.find(({ told }) => told)?.told ?? "nothing").trim().split("\n"))
    say(line);
  say(`\n${styleText("bold", "/stats, what changed")}`);
  for (const line of changedStats(before, await httpGet(stage.pod, PORTS.admin, "/stats")))
    say(line);

  const wrong = judged.filter(({ faults }) => faults.length > 0);
  say("");
  for (const { attempt, faults, record } of wrong)
    say(`${attempt.what}: ${faults.join("; ")}\n  its record: ${JSON.stringify(record)}`);
  say(
    wrong.length === 0
      ? `All ${judged.length} attempts went as they should. Try your own: npm run demo -- curl -v http://api.example.com/`
      : `${wrong.length} of ${judged.length} attempts did not go as they should.`,
  );
  return wrong.length;
}

/** A command of the user's with this terminal, and then what the sidecar recorded of it. */
async function runCommand(
  pod: Pod,
  host: Host,
  command: readonly string[],
  sidecar: RunningContainer,
  say: Say,
): Promise<number> {
  const child = startContainer(pod, appContainer(pod, command), host, "inherit");
  const [status, signal] = await once(child, "exit");
  const records = await settledRecords({ pod: host.namespace }, sidecar);
  say(records.length === 0 ? "\nThe sidecar saw no connection." : "");
  if (records.length > 0) for (const line of recordTable(records)) say(line);
  return signal ? 1 : status;
}

/** The sidecar's records once all its connections have ended and its log has been written out. */
export async function settledRecords(
  { pod }: Pick<Stage, "pod">,
  sidecar: RunningContainer,
): Promise<DecisionRecord[]> {
  for (let i = 0; i < 30; i++) {
    const stats = await httpGet(pod, PORTS.admin, "/stats?filter=downstream_cx_active|access_log");
    const figure = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(stats)?.[1]);
    if (
      figure("downstream_cx_active") === 0 &&
      figure("access_log.queued_bytes") === 0 &&
      sidecar.output.length >= figure("access_log.written")
    )
      break;
    await sleep(50);
  }
  return sidecar.output.map((line) => JSON.parse(line) as DecisionRecord);
}

/** The API server gives a generated name after admission. */
function named(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, name: `${DEPLOYMENT}-5d9c7b44f-x2x4z` } };
}

/** Which of the bundled programs each injected image holds: an image is named after its program. */
function imagesOf(pod: Pod, programs: string): Record<string, string> {
  const images: Record<string, string> = {};
  for (const { image } of pod.spec.initContainers ?? []) {
    const program = /([a-z]+)(?::[^/]*)?$/.exec(image)?.[1];
    if (program) images[image] = join(programs, program);
  }
  return images;
}

function userOf({ securityContext: s = {} }: Container): string {
  const capabilities = s.capabilities?.add?.join(" and ");
  return `uid ${s.runAsUser} gid ${s.runAsGroup}${capabilities ? ` with ${capabilities}` : ""}`;
}

function stepper(say: Say): (title: string, text: string) => void {
  return (title, text) => say(`${styleText("cyan", title.padEnd(17))}${text}`);
}
