import { KubeConfig } from "@kubernetes/client-node";
import { BadInput } from "../policy/io.ts";

/** As kubectl takes them. */
export const CLUSTER_HELP = `      --kubeconfig FILE       otherwise $KUBECONFIG, ~/.kube/config, or what a pod is told of its cluster
      --context NAME          of the kubeconfig; otherwise its current one`;

export const CLUSTER_OPTIONS = {
  kubeconfig: { type: "string" },
  context: { type: "string" },
} as const;

export interface ClusterChoice {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Whom to ask, and as whom; nothing is asked yet. */
export function readKubeconfig({ kubeconfig: file, context }: ClusterChoice): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    throw new BadInput([
      `cannot read the kubeconfig${file === undefined ? "" : ` ${file}`}: ${(error as Error).message}`,
    ]);
  }
  if (file === undefined && isNobodys(config))
    throw new BadInput([
      "there is no kubeconfig: give --kubeconfig FILE, or set $KUBECONFIG, or put one at ~/.kube/config",
    ]);
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw new BadInput([
        `--context ${context}: the kubeconfig has ${names.length > 0 ? names.join(", ") : "none"}`,
      ]);
    config.setCurrentContext(context);
  }
  if (!config.getCurrentCluster())
    throw new BadInput([
      "the kubeconfig says no cluster: give --context, or set one by kubectl config use-context",
    ]);
  return config;
}

/** What the client makes up where it finds none (config.js, loadFromDefault). */
function isNobodys(config: KubeConfig): boolean {
  const madeUp = config.getCurrentContext() === "loaded-context";
  return madeUp && config.getCurrentCluster()?.server === "http://localhost:8080";
}

/** The namespace of the context, as kubectl takes it. */
export function namespaceOf(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
}
