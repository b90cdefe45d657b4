import type { JsonObject } from "@sallyport/controller/admission/admission";
import { INJECTION_LABEL, NEVER_COVERED } from "@sallyport/controller/admission/names";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { judge, judgeBoundary, type Problem } from "@sallyport/controller/status/judge";
import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";
import { type Listed, objectsOf, type Stored, subjectOf } from "../fleet/cluster-policy.ts";
import { boundariesOver } from "../fleet/differences.ts";
import type { Read } from "../kubernetes/read.ts";
import type { Finding } from "./findings.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** A namespace, and what of it decides about rules. */
export interface PolicyPlace {
  readonly namespace: string;
  readonly labels: Labels;
  /** Of its pods that have a sidecar. */
  readonly pods: readonly Labels[];
  readonly rules: Read<Listed<EgressRule>>;
}

/** So long may it take until every sidecar has a rule; it is a second, usually. */
const APPLYING_MS = 60_000;

/** Of the rules of these namespaces, what cannot be as their authors may think. */
export function judgeRules(
  places: readonly PolicyPlace[],
  boundaries: readonly EgressBoundary[],
  nowMs: number,
): Finding[] {
  return places.flatMap(({ namespace, labels, pods, rules }) => {
    const over = boundariesOver(boundaries, labels);
    if ("unknown" in rules)
      return [
        {
          ...({ code: rules.forbidden ? "not_permitted" : "cannot_tell" } as const),
          subject: `namespace/${namespace}`,
          message: unread("list egressrules there", rules),
          remedy: rules.forbidden
            ? `as somebody who may: sallyport check --namespace ${namespace}`
            : TRY_AGAIN,
        },
      ];
    if (!("value" in rules)) return [];
    return [
      ...unusableFindings(rules.value),
      ...rules.value.usable.flatMap((rule) => [
        ...ruleFindings(rule, over, pods),
        ...notApplied(rule.stored, nowMs),
      ]),
    ];
  });
}

function unusableFindings<T>({ unusable }: Listed<T>): Finding[] {
  return unusable.map(({ subject, mistakes }) => ({
    ...({ code: "rule_unusable", subject } as const),
    message: `it cannot be used as it is: ${mistakes.join("; ")}`,
    remedy: `mend it: kubectl ${kubectlArgs("edit", subject)}`,
  }));
}

function ruleFindings(
  { object, stored }: Stored<EgressRule>,
  over: readonly EgressBoundary[],
  pods: readonly Labels[],
): Finding[] {
  const subject = subjectOf(stored);
  const { problems, permitsNothing, mode } = judge(object, over, pods);
  const refused = problems.filter(({ code }) => code === "denied" || code === "outside_ceiling");
  const unmatched = problems.filter(({ code }) => code === "no_pods");
  return [
    ...(refused.length > 0
      ? [
          {
            ...({
              code: mode === "enforce" ? "rule_refused" : "rule_would_be_refused",
              subject,
            } as const),
            message: `${permitsNothing ? "nothing of it is permitted" : "not all of it is permitted"}: ${sentences(refused)}`,
            remedy: `only who keeps the boundary can permit it; otherwise take it out: kubectl ${kubectlArgs("edit", subject)}`,
          },
        ]
      : []),
    ...unmatched.map(
      ({ message }): Finding => ({
        ...{ code: "rule_without_pods", subject },
        message,
        remedy: `compare: kubectl get pods -n ${object.metadata.namespace} --show-labels`,
      }),
    ),
  ];
}

/** What the leading controller has written there, where it has been so for longer than it takes. */
function notApplied(stored: JsonObject, nowMs: number): Finding[] {
  const ready = objects(asObject(stored.status).conditions).find(({ type }) => type === "Ready");
  const sinceMs = Date.parse(String(ready?.lastTransitionTime));
  if (ready?.status !== "False" || ready.reason !== "Applying") return [];
  if (!(nowMs - sinceMs > APPLYING_MS)) return [];
  return [
    {
      ...{ code: "rule_not_applied", subject: subjectOf(stored) },
      message: `since ${ready.lastTransitionTime}: ${ready.message}`,
      remedy: "sallyport get POD says what a sidecar has, and why it has no newer",
    },
  ];
}

/** Of boundaries: those that cannot be used, have no effect, or require what nobody looks at. */
export function judgeBoundaries(
  read: Read<Listed<EgressBoundary>>,
  namespaces: readonly { readonly name: string; readonly labels: Labels }[],
  install: string,
  nowMs: number,
): Finding[] {
  if ("unknown" in read)
    return [
      {
        ...({
          code: read.forbidden ? "not_permitted" : "cannot_tell",
          subject: "egressboundaries",
        } as const),
        message: unread("list egressboundaries", read),
        remedy: read.forbidden ? "as somebody who may: sallyport check" : TRY_AGAIN,
      },
    ];
  if (!("value" in read)) return [];
  const all = objectsOf(read);
  const under = (boundary: EgressBoundary) =>
    namespaces.filter(({ labels }) => selects(boundary.spec.namespaceSelector, labels));
  return [
    ...unusableFindings(read.value),
    ...read.value.usable.flatMap(({ object, stored }) => {
      const subject = subjectOf(stored);
      const its = under(object);
      const others = all
        .filter((other) => other !== object)
        .map((boundary) => ({
          boundary,
          namespaces: under(boundary).filter((each) => its.includes(each)).length,
        }))
        .filter(({ namespaces: common }) => common > 0);
      const problems = judgeBoundary(object, others);
      return [
        ...(problems.length > 0
          ? [
              {
                ...({ code: "boundary_without_effect", subject } as const),
                message: `not all of it has an effect: ${sentences(problems)}`,
                remedy: `kubectl ${kubectlArgs("edit", subject)}`,
              },
            ]
          : []),
        ...requiredFindings(object, its, install),
        ...notApplied(stored, nowMs),
      ];
    }),
  ];
}

function requiredFindings(
  { metadata, spec }: EgressBoundary,
  namespaces: readonly { readonly name: string; readonly labels: Labels }[],
  install: string,
): Finding[] {
  if (spec.injection !== "required") return [];
  return namespaces
    .filter(({ name, labels }) => {
      const label = labels[INJECTION_LABEL];
      return label !== "enabled" && label !== "all" && ![...NEVER_COVERED, install].includes(name);
    })
    .map(({ name }) => ({
      ...({ code: "required_not_labelled", subject: `namespace/${name}` } as const),
      message: `boundary ${metadata.name} requires the sidecar there, and without the label ${INJECTION_LABEL} nobody looks at its pods`,
      remedy: `kubectl label --overwrite namespace ${name} ${INJECTION_LABEL}=all; or have the boundary select others`,
    }));
}

function sentences(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
}

/** `edit egressrule web -n shop` of `shop/egressrule/web`. */
function kubectlArgs(verb: string, subject: string): string {
  const [name = "", kind = "", namespace] = subject.split("/").reverse();
  return `${verb} ${kind} ${name}${namespace === undefined ? "" : ` -n ${namespace}`}`;
}
