import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { all } from "../check/gather.ts";
import { NoAnswer } from "../kubernetes/access.ts";
import { ApiRefusal, type Rest } from "../kubernetes/rest.ts";
import { BadInput } from "../policy/io.ts";
import { whySilent } from "./sidecar-state.ts";
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

/** All the target's pods where that is wanted, and otherwise the only one. `words`: as which the target was given. */
export async function podsToAsk(
  rest: Rest,
  namespace: string,
  target: Target,
  { words, all }: { readonly words: readonly string[]; readonly all: boolean },
): Promise<readonly JsonObject[]> {
  const pods = await podsOf(rest, namespace, target);
  if (pods.length > 1 && !all)
    throw new BadInput([
      `${words.join(" ")} has ${pods.length} pods: give --all, or one of ${pods.map(nameOf).join(", ")}`,
    ]);
  return pods;
}

/** One of the target's pods, whose sidecar runs where any does; and how many there are. */
export async function onePodOf(
  rest: Rest,
  namespace: string,
  target: Target,
): Promise<{ readonly pod: JsonObject; readonly of: number }> {
  const pods = await podsOf(rest, namespace, target);
  const pod = pods.find((each) => whySilent(each, undefined) === undefined) ?? pods[0];
  if (!pod) throw new NoAnswer(`there is no such pod in namespace ${namespace}`);
  return { pod, of: pods.length };
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
