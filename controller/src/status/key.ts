import type { Origin } from "../rules/snapshots.ts";

export type Kind = Origin["kind"];

/** As records and reports name them: `namespace/name` of a rule, the name of a boundary. */
export function nameOf({ kind, namespace, name }: Pick<Origin, "kind" | "namespace" | "name">) {
  return kind === "EgressRule" ? `${namespace}/${name}` : name;
}

export function labelOf(origin: Pick<Origin, "kind" | "namespace" | "name">): string {
  return `${origin.kind} ${nameOf(origin)}`;
}
