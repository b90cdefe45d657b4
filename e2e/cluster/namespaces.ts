import { ApiException, CoreV1Api, KubeConfig, type V1Namespace } from "@kubernetes/client-node";

export function clientOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

/**
 * A namespace in which pods can be created at once: with the service account `default`, which the controller manager makes
 * a moment later where one runs, and nobody where only an API server does.
 */
export async function createNamespace(
  config: KubeConfig,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<V1Namespace> {
  const api = config.makeApiClient(CoreV1Api);
  const namespace = await api.createNamespace({ body: { metadata: { name, labels } } });
  await api
    .createNamespacedServiceAccount({ namespace: name, body: { metadata: { name: "default" } } })
    .catch((error) => {
      if (!(error instanceof ApiException && error.code === 409)) throw error;
    });
  return namespace;
}
