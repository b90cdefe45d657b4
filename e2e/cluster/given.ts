import { KubeConfig } from "@kubernetes/client-node";
import { type ApiServer, lackingApiServer, startApiServer } from "./api-server.ts";
import { ENVIRONMENT, givenApiServer } from "./environment.ts";

/** For the `skip` of a test that calls `apiServer`: why there is none; false where there is. */
export const lacking: string | false = givenApiServer() ? false : lackingApiServer();

let own: Promise<ApiServer> | undefined;

/** The API server that the run's test files share; a file that is run by itself gets one of its own. */
export function apiServer(): Promise<ApiServer> {
  const given = givenApiServer();
  own ??= given ? Promise.resolve(described(given)) : startApiServer();
  return own;
}

function described(kubeconfig: string): ApiServer {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (!cluster?.caData) throw new Error(`${ENVIRONMENT.apiServer}=${kubeconfig} names no cluster`);
  return {
    kubeconfig,
    url: cluster.server,
    ca: Buffer.from(cluster.caData, "base64").toString("utf8"),
  };
}
