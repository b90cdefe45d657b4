import {
  type Concern,
  isConcern,
  sentenceOf,
  UNCARRIED,
} from "@sallyport/controller/assessment/assessment";
import { formatOwner, type Owner } from "@sallyport/controller/assessment/owner";
import { carryingRemedy, remedyOf } from "@sallyport/controller/assessment/remedy";
import type { Code, Finding } from "./findings.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";
import type { Inhabitants } from "./workloads.ts";

const CODES: { readonly [state in Concern["state"]]: Code } = {
  missed: "sidecar_missing",
  stale: "sidecar_stale",
  broken: "sidecar_broken",
};

/** Which workloads have pods that are not as they would be now, and why. */
export function judgeWorkloads({ place, groups, uncarried, hidden }: Inhabitants): Finding[] {
  const subjectOf = (owner: Owner) => `${owner.namespace}/${formatOwner(owner)}`;
  return [
    ...groups.flatMap(({ owner, assessment, pods, example }): Finding[] => {
      if (!isConcern(assessment)) return [];
      const whose = owner.kind === "Pod" ? "" : `${podsOf(pods, example)}: `;
      return [
        {
          code: CODES[assessment.state],
          subject: subjectOf(owner),
          message: `${whose}${assessment.state === "missed" ? "no sidecar: " : ""}${sentenceOf(assessment)}`,
          remedy: remedyOf(owner, assessment),
        },
      ];
    }),
    ...uncarried.map(
      ({ owner, reason }): Finding => ({
        code: "annotation_not_carried",
        subject: subjectOf(owner),
        message: UNCARRIED[reason],
        remedy: carryingRemedy(owner),
      }),
    ),
    ...hidden.map(
      ({ what, ...why }): Finding => ({
        code: what === "pods" || !why.forbidden ? "cannot_tell" : "not_permitted",
        subject: `namespace/${place.namespace}`,
        message: unread(`list ${what} there`, why),
        remedy: why.forbidden
          ? `as somebody who may: sallyport check --namespace ${place.namespace}`
          : TRY_AGAIN,
      }),
    ),
  ];
}

function podsOf(pods: number, example: string): string {
  return pods === 1 ? `pod ${example}` : `${pods} pods (${example} is one)`;
}
