import type { JsonObject } from "@sallyport/controller/admission/admission";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { known, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { CRDS, type InstallFacts, NAMES } from "./facts.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1";

/** Everything about the installation, at once. */
export async function gatherInstall(rest: Rest, namespace: string): Promise<InstallFacts> {
  const core = `/api/v1/namespaces/${namespace}`;
  const of = (path: string) => reading(rest.get(path));
  const deployment = await of(
    `/apis/apps/v1/namespaces/${namespace}/deployments/${NAMES.deployment}`,
  );
  const secretName = secretNameOf(known(deployment));
  const crds = Promise.all(CRDS.map((name) => of(`${DEFINITIONS}/${name}`)));
  const [kubernetes, service, endpointSlices, configMap, secret, lease, mutating, validating] =
    await Promise.all([
      of("/version"),
      of(`${core}/services/${NAMES.service}`),
      reading(
        all(
          rest.list(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
            labelSelector: `kubernetes.io/service-name=${NAMES.service}`,
          }),
        ),
      ),
      of(`${core}/configmaps/${NAMES.configMap}`),
      of(`${core}/secrets/${secretName}`),
      of(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${NAMES.lease}`),
      of(`${WEBHOOKS}/mutatingwebhookconfigurations/${NAMES.webhooks}`),
      of(`${WEBHOOKS}/validatingwebhookconfigurations/${NAMES.webhooks}`),
    ]);
  return {
    ...{ namespace, kubernetes, deployment, service, endpointSlices },
    ...{ configMap, secretName, secret, lease, mutating, validating, crds: await crds },
    atMs: rest.nowMs(),
  };
}

/** By the flag where the controllers make the certificate, by the pod's volume where somebody else does. */
function secretNameOf(deployment: JsonObject | undefined): string {
  const { containers, volumes } = asObject(asObject(asObject(deployment?.spec).template).spec);
  const args = objects(containers).flatMap(({ args }) => (args ?? []) as readonly string[]);
  const flag = args.find((arg) => arg.startsWith("--certificate-secret="))?.split("=")[1];
  const mounted = objects(volumes).map(({ secret }) => asObject(secret).secretName);
  return flag ?? mounted.find((name) => typeof name === "string") ?? NAMES.secret;
}

export async function all(items: AsyncIterable<JsonObject>): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  for await (const item of items) found.push(item);
  return found;
}
