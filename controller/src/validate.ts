import { judgeEphemeral } from "./admission/ephemeral.ts";
import { judgeFinalPod } from "./admission/final-pod.ts";
import type { ReviewRequest } from "./admission/review.ts";
import { type Circumstances, type Decision, decided, ignored, isPod } from "./decision.ts";

/** The pod as every mutating webhook has left it, and what is added to one that is there. */
export function validate(request: ReviewRequest, circumstances: Circumstances): Decision {
  const { object, oldObject, operation, subResource, namespace } = request;
  const { injection, now, options, draw } = circumstances;
  if (isPod(request) && object && operation === "CREATE" && subResource === "")
    return decided(judgeFinalPod(object, { namespace, injection, now }, options, draw));
  if (isPod(request) && object && operation === "UPDATE" && subResource === "ephemeralcontainers")
    return decided(judgeEphemeral(object, oldObject ?? undefined, options));
  return ignored("only the CREATE of a v1 Pod and of its ephemeral containers is looked at");
}
