import { BYPASS_ANNOTATIONS, type EgressBoundary } from "@sallyport/core/rules";
import { PREFIX } from "./names.ts";

/** What the boundaries over a namespace demand of its pods. */
export interface Demands {
  /** The boundaries that require the sidecar. */
  readonly requiredBy: readonly string[];
  /** The boundaries that say which bypass annotations they permit. */
  readonly overrides: readonly Overrides[];
  /** Whether what no rule permits is refused there; absent where they leave it to the installation. */
  readonly mode?: "enforce" | "audit";
  /** Why it cannot be told what else is demanded; then nothing is let past that a boundary could forbid. */
  readonly unknown?: string;
}

interface Overrides {
  readonly boundary: string;
  /** Whole names of annotations. */
  readonly permitted: readonly string[];
}

export const NO_DEMANDS: Demands = { requiredBy: [], overrides: [] };

const BYPASSES: readonly string[] = BYPASS_ANNOTATIONS.map((name) => PREFIX + name);

/** A boundary over the namespace; of one that cannot be used there is no object. */
interface Over {
  readonly name: string;
  readonly object: EgressBoundary | undefined;
}

/** `over` is undefined as long as it is not known which boundaries there are. */
export function demandsOf(over: readonly Over[] | undefined): Demands {
  if (!over)
    return { ...NO_DEMANDS, unknown: "the boundaries over this namespace are not known yet" };
  const unusable = over.filter(({ object }) => !object);
  return {
    requiredBy: over.flatMap(({ name, object }) =>
      object?.spec.injection === "required" ? [name] : [],
    ),
    overrides: over.flatMap(({ name, object }) => {
      const permitted = object?.spec.workloadOverrides;
      return permitted ? [{ boundary: name, permitted: permitted.map((one) => PREFIX + one) }] : [];
    }),
    ...(over.length > 0 && {
      // One that cannot be read may enforce.
      mode: over.every(({ object }) => object?.spec.mode === "audit") ? "audit" : "enforce",
    }),
    ...(unusable.length > 0 && {
      unknown: `${boundariesNamed(unusable.map(({ name }) => name))} cannot be used as it is written`,
    }),
  };
}

/** One sentence for each bypass annotation of a pod that not every boundary permits. */
export function forbiddenBypasses(
  annotations: Readonly<Record<string, string>> = {},
  { overrides, unknown }: Demands,
): string[] {
  const permitted = BYPASSES.filter((name) =>
    overrides.every((one) => one.permitted.includes(name)),
  );
  const tell = permitted.length > 0 ? permitted.join(", ") : "none that lets traffic past it";
  return BYPASSES.filter((name) => annotations[name] !== undefined).flatMap((name) => {
    const against = overrides.filter((one) => !one.permitted.includes(name));
    if (against.length > 0)
      return `annotation ${name}: not permitted by ${boundariesNamed(against.map(({ boundary }) => boundary))}; permitted here: ${tell}`;
    return unknown !== undefined
      ? `annotation ${name}: whether a boundary forbids it cannot be told now: ${unknown}; ${LATER}`
      : [];
  });
}

/** Of a pod that is to have no sidecar; undefined where that may be. */
export function sidecarMayBeRequired(why: string, { unknown }: Demands): string | undefined {
  return unknown !== undefined
    ? `${why}; whether a boundary requires the sidecar cannot be told now: ${unknown}; ${LATER}`
    : undefined;
}

const LATER = "try again once it can";

/** Behind what is refused for the requirement alone. */
export function required(reason: string, { requiredBy }: Demands): string {
  return `${reason} (the sidecar is required by ${boundariesNamed(requiredBy)})`;
}

export function isRequired({ requiredBy }: Demands): boolean {
  return requiredBy.length > 0;
}

export function boundariesNamed(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `EgressBoundary ${names.slice(0, 3).join(", ")}${more}`;
}
