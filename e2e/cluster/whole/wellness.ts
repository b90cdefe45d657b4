import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { AppsV1Api, CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import type { Box } from "./box.ts";

export async function nodeIsReady(config: KubeConfig): Promise<boolean> {
  const { items } = await config.makeApiClient(CoreV1Api).listNode();
  return items.some((node) =>
    node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
}

export async function coreDnsIsAvailable(config: KubeConfig): Promise<boolean> {
  const deployment = await config
    .makeApiClient(AppsV1Api)
    .readNamespacedDeployment({ name: "coredns", namespace: "kube-system" });
  return (deployment.status?.availableReplicas ?? 0) > 0;
}

/** The programs of these names that run in the node itself, with their process ids as this machine numbers them. */
export function runningIn(box: Box, names: readonly string[]): Map<string, number> {
  const own = linkOf(join("/proc", String(box.pid), "ns", "pid_for_children"));
  const running = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (own === undefined || linkOf(join("/proc", pid, "ns", "pid")) !== own) continue;
    const name = programOf(pid);
    if (name !== undefined && names.includes(name)) running.set(name, Number(pid));
  }
  return running;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // it has ended
  }
}

function programOf(pid: string): string | undefined {
  try {
    return basename(readFileSync(join("/proc", pid, "cmdline"), "utf8").split("\0")[0] ?? "");
  } catch {
    return undefined; // it has ended
  }
}
