import { readKubeconfig } from "@sallyport/cli/kubernetes/kubeconfig";
import { connect, type Rest } from "@sallyport/cli/kubernetes/rest";
import { givenCluster } from "./given.ts";

let rest: Promise<Rest> | undefined;

/** The API server, for what is asked too often for a kubectl each time. */
export function api(): Promise<Rest> {
  rest ??= connect(readKubeconfig({ kubeconfig: givenCluster().kubeconfig }));
  return rest;
}

/** What a pod's own server says, by way of the API server: so that it is not the pod that has to connect. */
export async function askPod<T>(
  namespace: string,
  pod: string,
  port: number,
  path = "",
): Promise<T> {
  const url = `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy/${path}`;
  return (await (await api()).get(url)) as T;
}
