import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { PolicyObjects } from "../policy/objects.ts";

/** What the cluster would have, were this applied to it: what bears the same name is replaced. */
export function proposedOn(
  cluster: Pick<PolicyObjects, "rules" | "boundaries">,
  { rules, boundaries, aliases }: PolicyObjects,
  /** Of objects that name none, as for kubectl. */
  namespace: string,
): PolicyObjects {
  const ownRules = rules.map((rule) => ({
    ...rule,
    metadata: { ...rule.metadata, namespace: rule.metadata.namespace ?? namespace },
  }));
  return {
    rules: replaced<EgressRule>(cluster.rules, ownRules),
    boundaries: replaced<EgressBoundary>(cluster.boundaries, boundaries),
    aliases: aliases.map((service) => ({
      ...service,
      metadata: { ...service.metadata, namespace: service.metadata.namespace ?? namespace },
    })),
  };
}

interface Named {
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string };
}

function replaced<T extends Named>(there: readonly T[], given: readonly T[]): T[] {
  const nameOf = ({ metadata }: Named) => `${metadata.namespace ?? ""}/${metadata.name}`;
  const names = new Set(given.map(nameOf));
  return [...there.filter((each) => !names.has(nameOf(each))), ...given];
}
