import type { JsonObject } from "@sallyport/controller/admission/admission";
import { imageSaysAsWhom, mayBeRoot } from "@sallyport/controller/admission/capabilities";
import {
  INIT_CONTAINER,
  OUR_CONTAINERS,
  PROXY_CONTAINER,
} from "@sallyport/controller/admission/names";
import { readPod } from "@sallyport/controller/admission/pod-view";
import { objects, ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { INIT_CONFIG_ENV, InitConfig } from "@sallyport/init/contract";
import { NoAnswer } from "../../kubernetes/access.ts";

/** What a pod's own spec says of the container whose part the probe plays, and of its sidecar. */
export interface Subject {
  readonly container: string;
  /** Its security context, whole. */
  readonly security: JsonObject;
  readonly init: InitConfig;
  /** The sidecar's image, which is on the node, and the Node in it. */
  readonly image: string;
  readonly node: string;
  /** Whether the container could be root, by its security context or by its image. */
  readonly mayBeRoot: boolean;
  /** Whether its image's USER counts, which nobody here knows. */
  readonly imageSaysAsWhom: boolean;
}

export function subjectOf(pod: JsonObject, wanted: string | undefined): Subject {
  const name = String(asObject(pod.metadata).name);
  const view = readPod(pod);
  if (!("spec" in view)) throw new NoAnswer(`pod ${name} is not understood: ${view.join("; ")}`);
  const apps = objects(asObject(pod.spec).containers).filter(
    (each) => !OUR_CONTAINERS.includes(String(each.name)),
  );
  const app = wanted === undefined ? apps[0] : apps.find((each) => each.name === wanted);
  const its = view.spec.containers.find((each) => each.name === app?.name);
  if (!app || !its)
    throw new NoAnswer(
      `pod ${name} has no container ${wanted ?? "but the sidecar"}; it has ${apps.map((each) => each.name).join(", ")}`,
    );
  const proxy = ourContainer(pod, PROXY_CONTAINER);
  const [node] = Array.isArray(proxy?.command) ? proxy.command : [];
  if (typeof proxy?.image !== "string" || typeof node !== "string")
    throw new NoAnswer(`pod ${name} has no sidecar: sallyport check says why`);
  return {
    container: String(app.name),
    security: asObject(app.securityContext),
    init: initConfigOf(pod, name),
    ...{ image: proxy.image, node },
    mayBeRoot: mayBeRoot(its, view),
    imageSaysAsWhom: imageSaysAsWhom(its, view),
  };
}

/** As its init container was told it, which has made the rules of it. */
function initConfigOf(pod: JsonObject, name: string): InitConfig {
  const env = objects(ourContainer(pod, INIT_CONTAINER)?.env);
  const text = env.find((each) => each.name === INIT_CONFIG_ENV)?.value;
  try {
    const read = InitConfig.safeParse(JSON.parse(String(text)));
    if (read.success) return read.data;
  } catch {
    // said below
  }
  throw new NoAnswer(
    `pod ${name}: what its init container was told is not understood; use the command of the sidecar's version`,
  );
}
