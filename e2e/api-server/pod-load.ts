import { GUARDS } from "@sallyport/controller/kubernetes/webhook-changes";
import type { Installation } from "./controller-installation.ts";
import { until } from "./until.ts";

export interface Load extends AsyncDisposable {
  /** Until that many more have been created. */
  more(count: number): Promise<unknown>;
  /** Stops, and tells how many pods were created and what was said about those that were not. */
  stop(): Promise<{ readonly created: number; readonly failures: readonly string[] }>;
}

/** When every guard guards, and the API server has heard of it. */
export async function guarded(installation: Installation): Promise<void> {
  await until(
    "the guards guard",
    installation.entries,
    (entries) =>
      entries
        .filter(({ name }) => GUARDS.includes(name))
        .every(({ failurePolicy }) => failurePolicy === "Fail"),
    60,
  );
  await until(
    "three pods in a row get their sidecars",
    () => Promise.all([1, 2, 3].map(() => hasSidecar(installation, "dry run").catch(() => false))),
    (all) => all.every(Boolean),
  );
}

/** Whether a pod that is created now comes back with a sidecar. */
async function hasSidecar(
  { api, pods }: Installation,
  how: "dry run" | "stored",
): Promise<boolean> {
  const pod = await api.core.createNamespacedPod({
    namespace: pods,
    ...(how === "dry run" && { dryRun: "All" }),
    body: {
      metadata: { generateName: "web-" },
      spec: { containers: [{ name: "web", image: "registry.example/web:1" }] },
    },
  });
  return pod.spec?.initContainers?.length === 2;
}

/**
 * Creates pods at that rate, each of which is to come back with a sidecar: by a dry run, or stored, as only then
 * they are signed. `atOnce` of them go together: an API server that asks one after the other keeps to the connection it
 * has, and to the replica at its end; what it asks at once needs as many connections, which every replica gets some of.
 */
export function createPods(
  installation: Installation,
  perSecond: number,
  how: "dry run" | "stored" = "dry run",
  atOnce = 1,
): Load {
  let created = 0;
  const failures: string[] = [];
  const under = new Set<Promise<void>>();
  const create = async () => {
    try {
      if (await hasSidecar(installation, how)) created++;
      else failures.push(`${new Date().toISOString()} let in without a sidecar`);
    } catch (error) {
      failures.push(`${new Date().toISOString()} ${(error as Error).message}`);
    }
  };
  const timer = setInterval(
    () => {
      for (let count = 0; count < atOnce; count++) {
        const one = create().finally(() => under.delete(one));
        under.add(one);
      }
    },
    (1_000 * atOnce) / perSecond,
  );
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(under);
    return { created, failures };
  };
  return {
    more: (count) => {
      const enough = created + count;
      return until(
        `${count} more pods`,
        async () => ({ created, failed: failures.length, first: failures[0] }),
        (now) => now.created >= enough,
      );
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
