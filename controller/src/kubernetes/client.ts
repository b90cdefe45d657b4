import {
  AdmissionregistrationV1Api,
  AppsV1Api,
  AuthenticationV1Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  EventsV1Api,
  KubeConfig,
  type RequestContext,
  ServerConfiguration,
} from "@kubernetes/client-node";

/** An answer that takes longer is not waited for; the API server itself gives a request a minute. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Connections are shared for that long: the file of authorities that they trust may be replaced meanwhile. */
const CONNECTIONS_LIVE_MS = 600_000;

/** The parts of the API that the controller speaks to. */
export interface KubernetesApi {
  readonly kubeConfig: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly authentication: AuthenticationV1Api;
  readonly batch: BatchV1Api;
  readonly events: EventsV1Api;
  readonly coordination: CoordinationV1Api;
  readonly admission: AdmissionregistrationV1Api;
  readonly custom: CustomObjectsApi;
}

/** By a kubeconfig's current context, or as a pod is told of its cluster. Asks nothing yet. */
export function connect(kubeConfigFile?: string): KubernetesApi {
  const kubeConfig = readKubeConfig(kubeConfigFile);
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster)
    throw new Error(
      `${kubeConfigFile ?? "the pod's ServiceAccount"} names no cluster: a current-context is needed`,
    );
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: kubeConfig },
    promiseMiddleware: [{ pre: sharedConnections(), post: async (response) => response }],
  });
  return {
    kubeConfig,
    core: new CoreV1Api(configuration),
    apps: new AppsV1Api(configuration),
    authentication: new AuthenticationV1Api(configuration),
    batch: new BatchV1Api(configuration),
    events: new EventsV1Api(configuration),
    coordination: new CoordinationV1Api(configuration),
    admission: new AdmissionregistrationV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
  };
}

function readKubeConfig(file: string | undefined): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    if (file === undefined) kubeConfig.loadFromCluster();
    else kubeConfig.loadFromFile(file);
  } catch (error) {
    throw new Error(`cannot read the kubeconfig: ${(error as Error).message}`, { cause: error });
  }
  if (file === undefined && kubeConfig.getCurrentCluster()?.server.includes("undefined"))
    throw new Error(
      "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): say --kubeconfig FILE",
    );
  return kubeConfig;
}

/**
 * KubeConfig gives each request an agent, and so a TLS handshake, of its own: a lease renewed every two seconds would
 * make 43,200 a day.
 */
function sharedConnections() {
  let shared = { agent: undefined as ReturnType<RequestContext["getDispatcher"]>, untilMs: 0 };
  return async (request: RequestContext) => {
    const own = request.getDispatcher();
    if (performance.now() > shared.untilMs) {
      const old = shared.agent;
      shared = { agent: own, untilMs: performance.now() + CONNECTIONS_LIVE_MS };
      void old?.close();
    }
    if (shared.agent) request.setDispatcher(shared.agent);
    request.setSignal(AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    return request;
  };
}
