import type { JsonObject } from "@sallyport/controller/admission/admission";
import { reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { type InstallFacts, NAMES } from "./facts.ts";

const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1";

/** Everything about the installation, at once. */
export async function gatherInstall(rest: Rest, namespace: string): Promise<InstallFacts> {
  const core = `/api/v1/namespaces/${namespace}`;
  const of = (path: string) => reading(rest.get(path));
  const [kubernetes, deployment, service, endpointSlices, configMap, secret, mutating, validating] =
    await Promise.all([
      of("/version"),
      of(`/apis/apps/v1/namespaces/${namespace}/deployments/${NAMES.deployment}`),
      of(`${core}/services/${NAMES.service}`),
      reading(
        all(
          rest.list(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
            labelSelector: `kubernetes.io/service-name=${NAMES.service}`,
          }),
        ),
      ),
      of(`${core}/configmaps/${NAMES.configMap}`),
      of(`${core}/secrets/${NAMES.secret}`),
      of(`${WEBHOOKS}/mutatingwebhookconfigurations/${NAMES.webhooks}`),
      of(`${WEBHOOKS}/validatingwebhookconfigurations/${NAMES.webhooks}`),
    ]);
  return {
    ...{ namespace, kubernetes, deployment, service, endpointSlices },
    ...{ configMap, secret, mutating, validating },
  };
}

export async function all(items: AsyncIterable<JsonObject>): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  for await (const item of items) found.push(item);
  return found;
}
