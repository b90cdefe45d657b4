import { homedir } from "node:os";
import { join } from "node:path";

/** Where programs are looked for and kept. */
export interface Sources {
  /** A folder with programs to be used as they are: KUBEBUILDER_ASSETS, the ecosystem's own name for it. */
  readonly assets: string | undefined;
  /** What was built is kept here, by component and version. */
  readonly cache: string;
  /** Folders of this machine's own programs. */
  readonly path: readonly string[];
  /** Another version of Kubernetes than components/kubernetes/go.mod pins. */
  readonly kubernetes: string | undefined;
}

/** Everything that the test clusters read from the environment. */
export const ENVIRONMENT = {
  assets: "KUBEBUILDER_ASSETS",
  kubernetes: "SALLYPORT_KUBERNETES",
  /** The kubeconfig of the API server that the run's tests share. */
  apiServer: "SALLYPORT_API_SERVER",
  /** A name for another whole cluster beside the usual one. */
  cluster: "SALLYPORT_CLUSTER",
  /** The context of somebody's cluster on which the tests may run; without it, they touch none but their own. */
  context: "SALLYPORT_E2E_CONTEXT",
  /** How that cluster gets an image from an archive, whose path follows. */
  load: "SALLYPORT_E2E_LOAD",
} as const;

const read = (name: string) => process.env[name] || undefined;

export function sources(): Sources {
  return {
    assets: read(ENVIRONMENT.assets),
    cache: join(read("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "sallyport"),
    path: (read("PATH") ?? "").split(":").filter(Boolean),
    kubernetes: read(ENVIRONMENT.kubernetes)?.replace(/^v/, ""),
  };
}

/** Of the whole cluster; the usual one has none. Links of the network and folders are named after it. */
export function clusterName(): string | undefined {
  const name = read(ENVIRONMENT.cluster);
  if (name !== undefined && !/^[a-z0-9]{1,8}$/.test(name))
    throw new Error(`${ENVIRONMENT.cluster}=${name}: up to eight small letters and digits`);
  return name;
}

export const givenApiServer = (): string | undefined => read(ENVIRONMENT.apiServer);

export interface ForeignContext {
  readonly context: string;
  /** As KUBECONFIG says; the usual places otherwise. */
  readonly kubeconfig: string | undefined;
  readonly load: string | undefined;
}

export function foreignContext(): ForeignContext | undefined {
  const context = read(ENVIRONMENT.context);
  return context
    ? { context, kubeconfig: read("KUBECONFIG"), load: read(ENVIRONMENT.load) }
    : undefined;
}
