import { canonicalName } from "./hostname.ts";
import type { Cluster } from "./snapshot.ts";

/**
 * What Services of type ExternalName stand for, by each name under which a pod of `namespace` finds them: `httpbin` in its
 * own namespace, `httpbin.shop`, `httpbin.shop.svc` and `httpbin.shop.svc.cluster.local` in any.
 *
 * A target inside the cluster's own domain is no alias: what it leads to is the cluster's. So there are no chains: what a
 * target outside is called, be it the short name of another Service, is asked of DNS as it stands. Nor is a target an
 * alias that is no DNS name; Kubernetes lets an address pass for one.
 */
export function externalNamesFor(
  { domain, externalNames }: Pick<Cluster, "domain" | "externalNames">,
  namespace: string,
): ReadonlyMap<string, string> {
  const own = canonicalName(domain) ?? domain;
  const aliases = new Map<string, string>();
  for (const service of externalNames) {
    const target = canonicalName(service.externalName);
    if (target === undefined || target === own || target.endsWith(`.${own}`)) continue;
    const name = `${service.name}.${service.namespace}`;
    for (const each of [name, `${name}.svc`, `${name}.svc.${own}`]) aliases.set(each, target);
    if (service.namespace === namespace) aliases.set(service.name, target);
  }
  return aliases;
}
