import type { KubeConfig } from "@kubernetes/client-node";
import { type Io, print } from "../policy/io.ts";
import { type ClusterChoice, namespaceOf, readKubeconfig } from "./kubeconfig.ts";
import { ApiRefusal, connect, type Rest, Unreachable } from "./rest.ts";

/** A cluster, and as whom it is asked. */
export interface Access {
  readonly config: KubeConfig;
  readonly rest: Rest;
  /** Where nothing else is said: that of the context. */
  readonly namespace: string;
}

/** Why a sidecar, a pod or a workload does not answer: told in one line. */
export class NoAnswer extends Error {}

/** Does it with the cluster's help; what keeps it from that is told on standard error, and has an exit status. */
export async function onCluster(
  command: string,
  io: Io,
  choice: ClusterChoice & { readonly namespace?: string | undefined },
  status: { readonly failed: number; readonly unreachable: number },
  work: (access: Access) => Promise<number>,
): Promise<number> {
  const config = readKubeconfig(choice);
  try {
    const rest = await connect(config);
    return await work({ config, rest, namespace: choice.namespace ?? namespaceOf(config) });
  } catch (error) {
    const isRefused = error instanceof NoAnswer || error instanceof ApiRefusal;
    if (!isRefused && !(error instanceof Unreachable)) throw error;
    await print(io.stderr, [`sallyport ${command}: ${error.message}`]);
    return isRefused ? status.failed : status.unreachable;
  }
}
