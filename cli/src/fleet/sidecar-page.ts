import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { PORTS } from "@sallyport/proxy/contract";
import { type Access, NoAnswer } from "../kubernetes/access.ts";
import { NotForwarded, pageOf } from "../kubernetes/port-forward.ts";
import { known, reading } from "../kubernetes/read.ts";
import { whySilent } from "../stats/sidecar-state.ts";

const PATIENCE_MS = 15_000;

/** A page of a pod's sidecar, as text; NoAnswer says why there is none. */
export async function sidecarPage(
  { config, rest }: Pick<Access, "config" | "rest">,
  pod: JsonObject,
  path: string,
): Promise<string> {
  const { name, namespace } = placeOf(pod);
  if (whySilent(pod, undefined) !== undefined) {
    const labels = known(await reading(rest.get(`/api/v1/namespaces/${namespace}`)));
    throw new NoAnswer(`pod ${name}: ${whySilent(pod, labels)}`);
  }
  try {
    const where = { namespace, pod: name, port: PORTS.admin };
    const { status, body } = await pageOf(config, where, path, PATIENCE_MS);
    if (status === 200) return body.trimEnd();
    throw new NoAnswer(`pod ${name}: its sidecar answers ${status}: ${body.trim().slice(0, 500)}`);
  } catch (error) {
    if (!(error instanceof NotForwarded)) throw error;
    throw new NoAnswer(
      error.status === 403
        ? `pod ${name}: you may not connect to it: ask for create on pods/portforward in namespace ${namespace}`
        : `pod ${name}: cannot ask its sidecar: ${error.message}`,
    );
  }
}

/** The same, where the page is JSON. */
export async function sidecarJson(
  access: Pick<Access, "config" | "rest">,
  pod: JsonObject,
  path: string,
): Promise<unknown> {
  const text = await sidecarPage(access, pod, path);
  try {
    return JSON.parse(text);
  } catch {
    throw new NoAnswer(
      `pod ${placeOf(pod).name}: its sidecar's ${path} is no JSON: ${text.slice(0, 80)}`,
    );
  }
}

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
}

export function placeOf(pod: JsonObject): PodPlace {
  const { name, namespace } = asObject(pod.metadata);
  return { namespace: String(namespace), name: String(name) };
}
