import { Policy } from "@sallyport/core/policy";
import type { EgressRule } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";
import {
  type Cluster,
  compile,
  type Mode,
  type PodIdentity,
  type PolicySnapshot,
} from "@sallyport/core/snapshot";
import { aliasOf } from "./external-name-service.ts";
import type { PolicyObjects } from "./objects.ts";

/** Objects as they apply to one pod. */
export interface Applied {
  readonly pod: PodIdentity;
  readonly snapshot: PolicySnapshot;
  readonly policy: Policy;
  /** The namespace's rules that select other pods: `shop/db (app=db)`. */
  readonly others: readonly string[];
  /** Of all rules of the namespace, `shop/db`. */
  readonly names: ReadonlySet<string>;
  /** Who says audit; absent: a boundary. */
  readonly auditedBy?: string | undefined;
}

export interface Around {
  /** Where no boundary says it. */
  readonly mode: Mode;
  readonly cluster: Cluster;
  readonly resolvers?: readonly string[];
}

/** The label that Kubernetes itself gives every namespace. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export function podOf(namespace: string, labels: Labels, namespaceLabels: Labels): PodIdentity {
  return {
    namespace,
    labels,
    namespaceLabels: { [NAMESPACE_NAME]: namespace, ...namespaceLabels },
  };
}

export function apply(
  { rules, boundaries, aliases }: PolicyObjects,
  pod: PodIdentity,
  { mode, cluster, resolvers = [] }: Around,
): Applied {
  const given = aliases.map((service) => aliasOf(service, pod.namespace));
  const snapshot = compile(rules, boundaries, pod, {
    mode,
    cluster: { ...cluster, externalNames: [...cluster.externalNames, ...given] },
    resolvers,
  });
  const own = rules.filter(
    ({ metadata }) => (metadata.namespace ?? pod.namespace) === pod.namespace,
  );
  const nameOf = ({ metadata }: EgressRule) => `${pod.namespace}/${metadata.name}`;
  return {
    pod,
    snapshot,
    policy: new Policy(snapshot),
    others: own
      .filter(({ spec }) => !selects(spec.selector, pod.labels))
      .map((rule) => `${nameOf(rule)} (${selected(rule.spec.selector)})`),
    names: new Set(own.map(nameOf)),
  };
}

/** What each entry of a rule would permit by itself. */
export function entriesOf({ policy }: Applied, { metadata, spec }: EgressRule): Policy[] {
  const rule = `${policy.namespace}/${metadata.name}`;
  return spec.to.map((to, entry) => policy.withOnly({ rule, entry, ...to }));
}

function selected(selector: EgressRule["spec"]["selector"]): string {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values }) =>
      values ? `${key} ${operator} ${values.join("|")}` : `${key} ${operator}`,
    ),
  ].join(", ");
}
