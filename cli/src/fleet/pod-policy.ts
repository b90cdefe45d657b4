import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { Labels } from "@sallyport/core/selector";
import type { Mode, PodIdentity } from "@sallyport/core/snapshot";
import type { Access } from "../kubernetes/access.ts";
import { known, type Read, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import {
  type Listed,
  objectsOf,
  readBoundaries,
  readRules,
  type Unusable,
} from "./cluster-policy.ts";
import { boundariesOver, type Difference, differences, expected } from "./differences.ts";
import { type InForce, inForceOf } from "./in-force.ts";
import { defaultModeOf } from "./installation.ts";
import { type PodPlace, placeOf } from "./sidecar-page.ts";

/** One pod's policy: what its sidecar has in force, and what the cluster's objects say of it. */
export interface PodPolicy {
  readonly place: PodPlace;
  readonly inForce: InForce;
  /** Undefined where its namespace may not be read. */
  readonly identity: PodIdentity | undefined;
  /** Who says the mode; undefined where that is not known. */
  readonly modeFrom: string | undefined;
  /** Undefined where it cannot be told, which `unsure` explains. */
  readonly differences: readonly Difference[] | undefined;
  readonly unsure: string | undefined;
  /** Rules of its namespace, and boundaries, that are there and cannot be used. */
  readonly unusable: readonly Unusable[];
}

/** The objects that decide about the pods of a namespace. */
export interface Surroundings {
  readonly namespaceLabels: Labels | undefined;
  readonly rules: Read<Listed<EgressRule>>;
  readonly boundaries: Read<Listed<EgressBoundary>>;
  readonly defaultMode: Mode | undefined;
}

export async function surroundingsOf(
  rest: Rest,
  namespace: string,
  install: string,
): Promise<Surroundings> {
  const [labelled, rules, boundaries, defaultMode] = await Promise.all([
    reading(rest.get(`/api/v1/namespaces/${namespace}`)),
    readRules(rest, namespace),
    readBoundaries(rest),
    defaultModeOf(rest, install),
  ]);
  const stored = known(labelled);
  return {
    namespaceLabels: stored && labelsOf(stored),
    ...{ rules, boundaries, defaultMode },
  };
}

export async function podPolicy(
  access: Pick<Access, "config" | "rest">,
  pod: JsonObject,
  around: Surroundings,
): Promise<PodPolicy> {
  return compare(pod, await inForceOf(access, pod), around);
}

export function compare(pod: JsonObject, inForce: InForce, around: Surroundings): PodPolicy {
  const { namespaceLabels, rules, boundaries, defaultMode } = around;
  const place = placeOf(pod);
  const identity = namespaceLabels && {
    ...{ namespace: place.namespace, labels: labelsOf(pod), namespaceLabels },
  };
  const over = identity && boundariesOver(objectsOf(boundaries), identity.namespaceLabels);
  const unsure = whyUnsure(inForce, around);
  const unusable = [...(known(rules)?.unusable ?? []), ...(known(boundaries)?.unusable ?? [])];
  return {
    ...{ place, inForce, identity, unsure },
    modeFrom: modeFrom(inForce, "unknown" in boundaries ? undefined : over),
    differences:
      unsure === undefined && identity && inForce.snapshot
        ? differences(
            inForce.snapshot,
            expected(
              { pod: identity, rules: objectsOf(rules), boundaries: over ?? [], defaultMode },
              inForce.snapshot,
            ),
          ).filter(({ where }) => !isExcused(where, unusable))
        : undefined,
    unusable,
  };
}

/** Of what cannot be used as it is, the last that could is kept: nobody here knows it. */
function isExcused(where: string, unusable: readonly Unusable[]): boolean {
  return unusable.some(({ subject }) => {
    const [namespace, kind = "", name] = `/${subject}`.split("/").slice(-3);
    if (kind === "egressrule") return where.startsWith(`${namespace}/${name} `);
    return where === "mode" || where.startsWith(`boundary ${name} `);
  });
}

function whyUnsure(
  { snapshot, control }: InForce,
  { namespaceLabels, rules, boundaries }: Surroundings,
): string | undefined {
  if (!control)
    return "its policy is from its own configuration, and no controller gives it another";
  if (!snapshot) return "it has none yet";
  if ("unknown" in rules) return `the rules of its namespace are not known: ${rules.unknown}`;
  if ("unknown" in boundaries) return `the boundaries are not known: ${boundaries.unknown}`;
  return namespaceLabels
    ? undefined
    : "its namespace may not be read, so nobody can say which boundaries are over it";
}

/** Enforce beats audit; where no boundary is over it, the installation says it. */
function modeFrom(
  { snapshot, control }: InForce,
  over: readonly EgressBoundary[] | undefined,
): string | undefined {
  if (!snapshot) return undefined;
  if (!control) return "its own configuration";
  if (!over) return undefined;
  const saying = over.filter(({ spec }) => spec.mode === snapshot.mode);
  const names = saying.map(({ metadata }) => metadata.name).join(", ");
  if (saying.length > 0) return `${saying.length > 1 ? "boundaries" : "boundary"} ${names}`;
  return over.length === 0 ? "the installation's default" : undefined;
}

export function labelsOf(object: JsonObject): Labels {
  return asObject(asObject(object.metadata).labels) as Labels;
}
