import { CoreV1Api } from "@kubernetes/client-node";
import { clientOf } from "../namespaces.ts";
import { Box } from "./box.ts";
import { FILES } from "./configs.ts";
import { PLAN } from "./plan.ts";
import { nodeIsReady, runningIn } from "./wellness.ts";

const PROGRAMS = [
  ...["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"],
  ...["containerd", "kubelet"],
];

/** What runs, in lines for people; `well` when all does. */
export async function status(): Promise<{ readonly well: boolean; readonly lines: string[] }> {
  const box = Box.find();
  if (!box) return { well: false, lines: ["no cluster is up: npm run cluster:up"] };
  const running = runningIn(box, PROGRAMS);
  const lines = PROGRAMS.map((name) => {
    const pid = running.get(name);
    return `${name.padEnd(24)} ${pid === undefined ? `NOT RUNNING, see ${PLAN.state}/logs/${name}.log` : `runs as ${pid}`}`;
  });
  if (!running.has("kube-apiserver")) return { well: false, lines };

  const config = clientOf(FILES.kubeconfig);
  const ready = await nodeIsReady(config);
  const { items } = await config.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  const phases = Map.groupBy(items, (pod) => pod.status?.phase ?? "Unknown");
  const pods = [...phases].map(([phase, group]) => `${group.length} ${phase}`).join(", ");
  lines.push(`${PLAN.node.padEnd(24)} ${ready ? "ready" : "NOT READY"}; pods: ${pods || "none"}`);
  return { well: ready && running.size === PROGRAMS.length, lines };
}
