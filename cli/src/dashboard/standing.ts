import type { JsonObject } from "@sallyport/controller/admission/admission";
import { INJECTION_LABEL, PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { assessPod } from "@sallyport/controller/assessment/assess";
import { writtenAt } from "@sallyport/controller/assessment/written";
import { VERSION } from "@sallyport/core/version";
import { whySilent } from "../stats/sidecar-state.ts";

/** A sidecar that can be asked, or why one that should be there cannot; undefined where none is to be. */
export type Standing = "runs" | { readonly silent: string } | undefined;

/** `namespace`: absent where it may not be read, and then nobody is accused. */
export function standingOf(pod: JsonObject, namespace: JsonObject | undefined): Standing {
  const isInjected = ourContainer(pod, PROXY_CONTAINER) !== undefined;
  const silent = whySilent(pod, namespace);
  if (isInjected) return silent === undefined ? "runs" : { silent };
  const metadata = asObject(namespace?.metadata);
  const injection = asObject(metadata.labels)[INJECTION_LABEL];
  if (injection !== "enabled" && injection !== "all") return undefined;
  const { state } = assessPod(pod, {
    ...{ namespace: String(metadata.name), injection, version: VERSION },
    labelledAtMs: writtenAt(metadata, "labels", INJECTION_LABEL),
  });
  return state === "left_alone" ? undefined : { silent: silent ?? "it has no sidecar" };
}
