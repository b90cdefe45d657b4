import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { type Authority, createAuthority } from "@sallyport/controller/certificates";
import { type Host, startContainer } from "../lab/container.ts";
import type { Container, Pod } from "../lab/pod.ts";
import { type RunningContainer, runInitContainers } from "../lab/run-pod.ts";
import { appContainer, appIn } from "./app.ts";
import { CA_BUNDLE, DEPLOYMENT, podOfDeployment } from "./deployment.ts";
import { changeWhileItRuns } from "./live.ts";
import { POLICY } from "./policy.ts";
import { recordTable } from "./report.ts";
import { settledRecords } from "./settled-records.ts";
import { setStage } from "./stage.ts";
import { type Say, tryAll } from "./try-all.ts";
import { admit, startWebhook } from "./webhook.ts";
import { MISNAMED, NAMESPACE, SERVICES, WORLD } from "./world.ts";
import type { Certificates, Shown } from "./world-main.ts";

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

  const authority = await createAuthority(Date.now(), "demo world");
  const stage = await setStage(await certificatesBy(authority));
  cleanUps.push(() => stage.close());
  step("namespaces", `pod ${WORLD.pod.join(" and ")}; outside, ${WORLD.servers.length} servers`);

  const host: Host = {
    namespace: stage.pod,
    images: imagesOf(pod, programs),
    configMaps: { [CA_BUNDLE]: caBundle(folder, authority) },
    resolvConf: resolvConf(),
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
  const isRight = await tryAll(app, stage, sidecar, say);
  const live = { pod, host, sidecar, folder, app, say };
  return (await changeWhileItRuns(live)) && isRight ? 0 : 1;
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

async function certificatesBy(authority: Authority): Promise<Certificates> {
  const showing = async (names: readonly string[]): Promise<Shown> => {
    const { certificate: cert, key } = await authority.issue(names, Date.now());
    return { cert, key };
  };
  const [own, misnamed] = await Promise.all([
    showing(Object.keys(WORLD.names)),
    showing([MISNAMED]),
  ]);
  return { own, misnamed };
}

/** As the kubelet writes it for dnsPolicy ClusterFirst. */
function resolvConf(): string {
  const search = [SERVICES, "svc.cluster.local", "cluster.local"].join(" ");
  return `search ${search}\nnameserver ${WORLD.resolver}\noptions ndots:5\n`;
}

/** The folder of a ConfigMap with this authority. */
function caBundle(folder: string, { certificate }: Authority): string {
  const path = join(folder, CA_BUNDLE);
  mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(path, "ca.crt"), certificate, { mode: 0o644 });
  return path;
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
