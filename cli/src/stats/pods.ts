import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { all } from "../check/gather.ts";
import { NoAnswer } from "../kubernetes/access.ts";
import { ApiRefusal, type Rest } from "../kubernetes/rest.ts";
import { DEPLOYMENT, formatSelector, type Target } from "./target.ts";

/** The target's pods, as the API server stores them; those that have ended are none. */
export async function podsOf(
  rest: Rest,
  namespace: string,
  { kind, name }: Target,
): Promise<readonly JsonObject[]> {
  if (kind === "pod" || kind === "any") {
    const pod = await found(rest, `/api/v1/namespaces/${namespace}/pods/${name}`);
    if (pod) return [pod];
    if (kind === "pod") throw new NoAnswer(`there is no pod ${name} in namespace ${namespace}`);
  }
  const { path, resource } = kind === "any" ? DEPLOYMENT : kind;
  const workload = await found(rest, `${path}/namespaces/${namespace}/${resource}/${name}`);
  if (!workload)
    throw new NoAnswer(
      kind === "any"
        ? `there is neither a pod nor a deployment ${name} in namespace ${namespace}`
        : `there is no ${kind.names[0]} ${name} in namespace ${namespace}`,
    );
  const labelSelector = formatSelector(asObject(asObject(workload.spec).selector));
  const pods = await all(
    rest.list(`/api/v1/namespaces/${namespace}/pods`, {
      labelSelector,
      fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
    }),
  );
  const alive = pods.filter((pod) => asObject(pod.metadata).deletionTimestamp === undefined);
  if (alive.length === 0)
    throw new NoAnswer(`${resource.slice(0, -1)} ${name} has no running pod in ${namespace}`);
  return alive;
}

async function found(rest: Rest, path: string): Promise<JsonObject | undefined> {
  try {
    return await rest.get(path);
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

export function nameOf(pod: JsonObject): string {
  return String(asObject(pod.metadata).name);
}
