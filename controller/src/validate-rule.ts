import { API_VERSION } from "@sallyport/core/rules";
import type { ReviewRequest } from "./admission/review.ts";
import { type Circumstances, type Decision, decided, ignored } from "./decision.ts";
import { judgeBoundaryObject, judgeRule } from "./rule-validation/judge-object.ts";

/** A rule or boundary that is written. One that is to go is never held up, whatever is in it. */
export function validateRule(
  { object, operation, kind, subResource, namespace }: ReviewRequest,
  { boundariesOver }: Circumstances,
): Decision {
  const isWritten = operation === "CREATE" || operation === "UPDATE";
  const isOurs = `${kind.group}/${kind.version}` === API_VERSION && subResource === "";
  if (!isOurs || !isWritten || !object || isGoing(object))
    return ignored("only CREATE and UPDATE of an EgressRule or EgressBoundary are looked at");
  if (kind.kind === "EgressBoundary") return decided(judgeBoundaryObject(object));
  const over = boundariesOver?.(namespace) ?? [];
  return decided(
    judgeRule(
      object,
      over.flatMap((known) => known.object ?? []),
    ),
  );
}

function isGoing({ metadata }: NonNullable<ReviewRequest["object"]>): boolean {
  return (metadata as { deletionTimestamp?: unknown } | null)?.deletionTimestamp != null;
}
