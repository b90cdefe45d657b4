import type { DecisionRecord } from "@sallyport/core/record";
import type { PolicyDump } from "@sallyport/proxy/admin/policy-dump";
import { adminRoutes } from "@sallyport/proxy/admin/routes";
import { serve } from "@sallyport/proxy/admin/server";
import { Destinations } from "@sallyport/proxy/destinations";
import { RecentRecords } from "@sallyport/proxy/recent-records";
import type { Any } from "./check-bed.ts";

/** The admin pages of a sidecar, over what a test says that it has in force and has recorded. */
export function sidecarPages(
  namespace: string,
  policy: PolicyDump,
  records: readonly Partial<DecisionRecord>[] = [],
): Promise<{ readonly port: number; close(): void }> {
  const recent = new RecentRecords(1_000);
  const destinations = new Destinations();
  for (const [i, more] of records.entries()) {
    const each = record(namespace, i + 1, more);
    recent.add(each);
    destinations.add(each);
  }
  const { problem } = policy.control ?? {};
  const routes = adminRoutes({
    overview: () => {
      throw new Error("nobody asks for it here");
    },
    destinations: async () => destinations.collect([]),
    others: () => destinations.others,
    decisions: () => recent.latest(),
    explanation: () => undefined,
    stats: async () => [],
    config: () => ({ pod: {}, policy }),
    connections: async () => [],
    notReady: () => problem,
    warning: () => undefined,
  });
  return serve(routes, { port: 0, host: "127.0.0.1" }, ["localhost", "127.0.0.1", "::1"]);
}

function record(
  namespace: string,
  connection: number,
  more: Partial<DecisionRecord>,
): DecisionRecord {
  return {
    ...{ time: "2026-01-01T00:00:00.000Z", pod: "web", namespace, connection },
    ...{ verdict: "allow", reason: "allowed.rule" },
    ...{ original_address: "93.184.216.34", original_port: 443 },
    ...{ bytes_sent: 1, bytes_received: 1, duration_ms: 1, closed_by: "app", closed_how: "end" },
    ...more,
  };
}

/** A pod with a sidecar that runs, as a kubelet would tell of it; to be applied with its status. */
export function runningPod(
  name: string,
  namespace: string,
  more: { readonly labels?: object; readonly annotations?: object } = {},
): Any {
  const image = "sallyport/proxy:1";
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, ...more } },
    spec: {
      containers: [{ name: "app", image: "shop/app:1" }],
      initContainers: [{ name: "sallyport-proxy", image, restartPolicy: "Always" }],
    },
  };
}

/** The patch of its status. */
export const RUNNING = JSON.stringify({
  status: {
    phase: "Running",
    initContainerStatuses: [
      {
        ...{ name: "sallyport-proxy", image: "sallyport/proxy:1", imageID: "", ready: true },
        ...{ restartCount: 0, started: true },
        state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
      },
    ],
  },
});
