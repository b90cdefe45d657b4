import { cidrContains, parseAddress, parseCidr } from "@sallyport/core/address";
import { rootsWithWaysPast } from "./capabilities.ts";
import type { InjectionOptions } from "./options.ts";
import type { PodView } from "./pod-view.ts";
import type { Refusal } from "./refusal.ts";

/**
 * With these a pod may have a way past its sidecar; most pods have one, so they are warnings (warnings.ts), and refused
 * only where a boundary requires the sidecar.
 */
export function weaknessesOf(pod: PodView, options: InjectionOptions): Refusal[] {
  return [...rootWeaknesses(pod), ...resolverWeaknesses(pod, options)];
}

export function rootWeaknesses(pod: PodView): Refusal[] {
  return rootsWithWaysPast(pod).map(({ path, container: { name } }) => ({
    path: `${path}.securityContext`,
    message: rootSentence(name),
  }));
}

export function rootSentence(who: string): string {
  return `${who} may run as root with NET_RAW, SETUID or SETGID, and so walk past the sidecar: set runAsNonRoot: true, or drop ALL`;
}

function resolverWeaknesses(pod: PodView, options: InjectionOptions): Refusal[] {
  const foreign = foreignResolvers(pod, options);
  return (pod.spec.dnsConfig?.nameservers ?? []).flatMap((text, i) =>
    foreign.includes(text)
      ? [
          {
            path: `spec.dnsConfig.nameservers[${i}]`,
            message: `${text} is not a resolver that the installation names, nor in the cluster; remove it`,
          },
        ]
      : [],
  );
}

/** The resolvers of a pod that are neither the installation's nor in the cluster. What is no address is the API server's to refuse. */
export function foreignResolvers({ spec }: PodView, options: InjectionOptions): string[] {
  const nameservers = spec.dnsConfig?.nameservers ?? [];
  // Most pods name none, and a cluster may have thousands of ranges.
  if (nameservers.length === 0) return [];
  const cluster = options.clusterCidrs.flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr instanceof Error ? [] : [cidr];
  });
  const known = options.resolvers.map(parseAddress);
  return nameservers.filter((text) => {
    const address = parseAddress(text);
    return (
      address &&
      !known.some((one) => one?.family === address.family && one.value === address.value) &&
      !cluster.some((cidr) => cidrContains(cidr, address))
    );
  });
}
