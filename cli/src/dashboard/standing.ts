import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { Demands } from "@sallyport/controller/admission/demands";
import { INJECTION_LABEL, PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { assessPod } from "@sallyport/controller/assessment/assess";
import { isConcern, sentenceOf } from "@sallyport/controller/assessment/assessment";
import { ownerOfPod } from "@sallyport/controller/assessment/owner";
import { remedyOf } from "@sallyport/controller/assessment/remedy";
import { writtenAt } from "@sallyport/controller/assessment/written";
import { VERSION } from "@sallyport/core/version";
import { whySilent } from "../stats/sidecar-state.ts";

/** A sidecar that can be asked, or why one that should be there cannot; undefined where none is to be. */
export type Standing = "runs" | { readonly silent: string } | undefined;

/** `namespace`: absent where it may not be read, and then nobody is accused. */
export function standingOf(
  pod: JsonObject,
  namespace: JsonObject | undefined,
  demands?: Demands,
): Standing {
  if (ourContainer(pod, PROXY_CONTAINER)) {
    const silent = whySilent(pod, undefined);
    return silent === undefined ? "runs" : { silent };
  }
  const metadata = asObject(namespace?.metadata);
  const injection = asObject(metadata.labels)[INJECTION_LABEL];
  if (injection !== "enabled" && injection !== "all") return undefined;
  const assessment = assessPod(pod, {
    ...{ namespace: String(metadata.name), injection, demands, version: VERSION },
    labelledAtMs: writtenAt(metadata, "labels", INJECTION_LABEL),
  });
  if (!isConcern(assessment)) return undefined;
  const remedy = remedyOf(ownerOfPod(pod), assessment);
  return { silent: `it has no sidecar: ${sentenceOf(assessment)}; ${remedy}` };
}
