import type { Attempt, Denied } from "@sallyport/core/decision";
import { explain } from "@sallyport/core/explain";
import type { Explanation } from "@sallyport/core/explanation";
import type { Policy } from "@sallyport/core/policy";
import type { EgressRule } from "@sallyport/core/rules";
import { type Applied, entriesOf } from "./applied.ts";
import { judge } from "./judge.ts";

/** The name that an app connects to, said or not, and where that leads. */
export interface Named {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A refusal in words; its rule has been tried, helps, and takes no other rule's name. */
export function explainRefusal(
  applied: Applied,
  denied: Denied,
  attempt: Attempt,
  named: Named | undefined,
): Explanation {
  // Rules are about what a Service stands for.
  const meant = named && {
    ...named,
    name: applied.policy.externalNameOf(named.name) ?? named.name,
  };
  const known = meant ? knowing(attempt, meant) : attempt;
  const { egressRule, ...rest } = explain(applied.policy, known, denied);
  if (!egressRule) return rest;
  const isUnsaid = meant !== undefined && attempt.seen?.name === undefined;
  const better = (isUnsaid ? byName(egressRule, meant, known.port) : []).find((rule) =>
    isPermitted(entriesOf(applied, rule), known),
  );
  return { ...rest, egressRule: renamed(better ?? egressRule, applied.names) };
}

/** The attempt, where it is known, too, what this name resolves to. */
export function knowing(attempt: Attempt, { name, addresses }: Named): Attempt {
  const { answers } = attempt;
  return {
    ...attempt,
    answers: {
      addressesOf: (asked) => (asked === name ? addresses : answers?.addressesOf(asked)),
      namesOf: (address) => [
        ...(answers?.namesOf(address) ?? []),
        ...(addresses.includes(address) ? [name] : []),
      ],
    },
  };
}

/** Opaque bytes carry no name, but it is known whom the app asked for, and a rule by name outlives an address. */
function byName(rule: EgressRule, { name, addresses }: Named, port: number): EgressRule[] {
  const metadata = { ...rule.metadata, name: `allow-${slug(name)}-${port}` };
  const to = { hosts: [name], ports: [{ port, protocol: "tcp" as const }] };
  const cidrs = addresses.map((address) => `${address}/${address.includes(":") ? 128 : 32}`);
  const inside = cidrs.length > 0 ? [{ ...to, cidrs }] : [];
  return [to, ...inside].map((each) => ({ ...rule, metadata, spec: { to: [each] } }));
}

/** Whether one of these permits it. */
export function isPermitted(policies: readonly Policy[], attempt: Attempt): boolean {
  return policies.some((policy) => judge(policy, attempt, () => []).decision.verdict === "allow");
}

/** As a label of an object's name (RFC 1123); its end makes room for the port. */
function slug(name: string): string {
  return name
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, "");
}

/** To be added, not to replace what bears the same name. */
export function renamed(rule: EgressRule, taken: ReadonlySet<string>): EgressRule {
  const { name, namespace } = rule.metadata;
  const isTaken = (candidate: string) => taken.has(`${namespace}/${candidate}`);
  if (!isTaken(name)) return rule;
  let number = 2;
  while (isTaken(`${name}-${number}`)) number++;
  return { ...rule, metadata: { ...rule.metadata, name: `${name}-${number}` } };
}
