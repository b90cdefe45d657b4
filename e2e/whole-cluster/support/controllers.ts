import type { V1ContainerStatus, V1Deployment, V1Pod } from "@kubernetes/client-node";
import { kubectl, list, read } from "./kubectl.ts";
import { killContainer } from "./sigkill.ts";
import { until } from "./until.ts";
import { rolledOut, waitFor } from "./waiting.ts";

/** Where the chart puts the installation, and what it calls the controllers. */
export const SYSTEM = "sallyport-system";
export const CONTROLLER = "deployment/sallyport-controller";

/** The controllers' pods, but for those on their way out. */
export async function controllerPods(): Promise<readonly V1Pod[]> {
  const pods = await list<V1Pod>(SYSTEM, "pods", await selector());
  return pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

/** SIGKILL to its process; the kubelet starts another. */
export async function killController(pod: V1Pod): Promise<void> {
  await killContainer(statusOf(pod, "controller").containerID ?? "");
}

/** All of them killed, and none started in their place until they are called back. */
export async function killControllers(): Promise<void> {
  const pods = await controllerPods();
  await Promise.all([
    kubectl("scale", CONTROLLER, "--namespace", SYSTEM, "--replicas=0"),
    ...pods.map(killController),
  ]);
  for (const { metadata } of pods) await waitFor(SYSTEM, `pod/${metadata?.name}`, "delete");
}

export async function callBackControllers(replicas = 2): Promise<void> {
  await kubectl("scale", CONTROLLER, "--namespace", SYSTEM, `--replicas=${replicas}`);
  await rolledOut(SYSTEM, CONTROLLER);
}

/** Until every one that answers is of the present template: those that end go on answering for some seconds. */
export async function controllersReplaced(): Promise<void> {
  await rolledOut(SYSTEM, CONTROLLER);
  const all = await selector();
  await until("the old ones are gone", async () => {
    const pods = await list<V1Pod>(SYSTEM, "pods", all);
    return pods.every(({ metadata }) => metadata?.deletionTimestamp === undefined);
  });
}

/** Of an init container too. */
export function statusOf({ metadata, status }: V1Pod, container: string): V1ContainerStatus {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  if (!found) throw new Error(`pod ${metadata?.name} has no container ${container}`);
  return found;
}

async function selector(): Promise<string> {
  const [kind = "", name = ""] = CONTROLLER.split("/");
  const { spec } = await read<V1Deployment>(SYSTEM, kind, name);
  return Object.entries(spec?.selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
