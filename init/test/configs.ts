import { InitConfig, type InitConfigInput } from "../src/contract.ts";

const IDS = { proxyUid: 20_001, proxyGid: 20_002 };

/** One golden file each, of both families. */
export const CONFIGS: Readonly<Record<string, InitConfigInput>> = {
  smallest: IDS,
  pod: {
    ...IDS,
    excludeCidrs: ["198.51.100.0/24", "2001:db8:2::/48"],
    excludePorts: [22],
    resolvers: ["10.96.0.10", "fd00:96::a"],
    clusterCidrs: ["10.96.0.0/12", "10.244.0.0/16", "fd00:96::/112"],
  },
  included: {
    ...IDS,
    proxyPort: 15_101,
    includeCidrs: ["192.0.2.0/24", "2001:db8:3::/48"],
    includePorts: [443],
    excludeCidrs: ["192.0.2.128/25"],
    outsideUdp: "allow",
  },
  "nothing-included": { ...IDS, includeCidrs: [] },
  "everything-included": { ...IDS, includeCidrs: ["0.0.0.0/0", "::/0"] },
  rejected: { ...IDS, ipv4: "reject", ipv6: "reject", resolvers: ["10.96.0.10"] },
};

export function configNamed(name: string): InitConfig {
  return InitConfig.parse(CONFIGS[name]);
}
