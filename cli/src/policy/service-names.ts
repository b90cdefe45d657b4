import type { PolicySnapshot } from "@sallyport/core/snapshot";

/** Where the cluster's DNS leads from a name of a Service that the snapshot knows by its cluster IPs. */
export function addressesOfService(
  { namespace, cluster: { domain, leadingOut } }: PolicySnapshot,
  name: string,
): readonly string[] | undefined {
  const found = leadingOut.find((service) => {
    const full = `${service.name}.${service.namespace}`;
    const short = service.namespace === namespace ? [service.name] : [];
    return [...short, full, `${full}.svc`, `${full}.svc.${domain}`].includes(name);
  });
  return found && found.addresses.length > 0 ? found.addresses : undefined;
}
