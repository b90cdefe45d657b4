import { judgeEphemeral } from "./admission/ephemeral.ts";
import { judgeFinalPod } from "./admission/final-pod.ts";
import { judgeImageChange } from "./admission/image-change.ts";
import type { ReviewRequest } from "./admission/review.ts";
import { type Circumstances, type Decision, decided, ignored, isPod } from "./decision.ts";

/** The pod as every mutating webhook has left it, and what is done to one that is there. */
export function validate(request: ReviewRequest, circumstances: Circumstances): Decision {
  const { object, oldObject, operation, subResource, namespace } = request;
  const { injection, guarded, demands, control, now, options, draw } = circumstances;
  if (isPod(request) && object)
    switch (`${operation} ${subResource}`) {
      case "CREATE ":
        return decided(
          judgeFinalPod(
            object,
            { namespace, injection, guarded, demands, control, now },
            options,
            draw,
          ),
        );
      case "UPDATE ":
        return decided(judgeImageChange(object, oldObject ?? {}, options));
      case "UPDATE ephemeralcontainers":
        return decided(judgeEphemeral(object, oldObject ?? undefined, options, demands));
    }
  return ignored("only CREATE and UPDATE of a v1 Pod and its ephemeral containers are looked at");
}
