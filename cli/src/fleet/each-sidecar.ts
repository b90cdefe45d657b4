import type { JsonObject } from "@sallyport/controller/admission/admission";
import { PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { ownerOfPod } from "@sallyport/controller/assessment/owner";
import { NOT_ENDED } from "@sallyport/controller/assessment/pods";
import { NoAnswer } from "../kubernetes/access.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { whySilent } from "../stats/sidecar-state.ts";
import { placeOf } from "./sidecar-page.ts";

/** So many port-forwards at a time: each is a connection through the API server. */
const AT_ONCE = 16;

/** The pods of a namespace, or of all, that have a sidecar which runs. Pages come as they are needed. */
export async function* runningSidecars(
  rest: Rest,
  namespace: string | undefined,
): AsyncGenerator<JsonObject> {
  const where = namespace === undefined ? "" : `/namespaces/${namespace}`;
  for await (const pod of rest.list(`/api/v1${where}/pods`, { fieldSelector: NOT_ENDED })) {
    if (asObject(pod.metadata).deletionTimestamp !== undefined) continue;
    if (ourContainer(pod, PROXY_CONTAINER) && whySilent(pod, undefined) === undefined) yield pod;
  }
}

export interface Unasked {
  readonly pod: string;
  readonly why: string;
}

/** Does it for every pod, some at a time; those that do not answer are told and keep no other from it. */
export async function eachSidecar(
  pods: AsyncIterator<JsonObject>,
  work: (pod: JsonObject) => Promise<void>,
  onProgress: (asked: number) => void = () => {},
): Promise<{ readonly asked: number; readonly unasked: readonly Unasked[] }> {
  let asked = 0;
  const unasked: Unasked[] = [];
  const worker = async () => {
    for (;;) {
      const { done, value: pod } = await pods.next();
      if (done) return;
      try {
        await work(pod);
        asked += 1;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const { namespace, name } = placeOf(pod);
        unasked.push({ pod: `${namespace}/${name}`, why: error.message });
      }
      onProgress(asked + unasked.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { asked, unasked };
}

/**
 * The workload that people know, `shop/deployment/web`: a Deployment's ReplicaSet is named for it and for the hash that its
 * pods bear (k8s.io/kubernetes, pkg/controller/deployment).
 */
export function workloadOf(pod: JsonObject): string {
  const { namespace, kind, name } = ownerOfPod(pod);
  const hash = asObject(asObject(pod.metadata).labels)["pod-template-hash"];
  const ofDeployment =
    kind === "ReplicaSet" && typeof hash === "string" && name.endsWith(`-${hash}`);
  return ofDeployment
    ? `${namespace}/deployment/${name.slice(0, -hash.length - 1)}`
    : `${namespace}/${kind.toLowerCase()}/${name}`;
}
