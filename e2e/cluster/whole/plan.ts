import { createHash } from "node:crypto";
import { clusterName } from "../environment.ts";

const name = clusterName();
const suffix = name === undefined ? "" : `-${name}`;
/** Tells the links of clusters that stand side by side apart; of all else each has its own. */
const number =
  name === undefined ? 250 : (createHash("sha256").update(name).digest()[0] ?? 0) % 250;

/** The one node's names and addresses. */
export const PLAN = {
  name: `sallyport${suffix}`,
  node: "sallyport-node",
  /** Everything that the cluster writes. */
  state: `/var/lib/sallyport-cluster${suffix}`,
  cgroup: `sallyport-cluster${suffix}`,
  domain: "cluster.local",
  /** Between this machine and the node: by which kubectl and tests come in. */
  link: {
    name: name === undefined ? "sallyport0" : `sally-${name}`, // 15 letters at most
    outside: [`172.31.${number}.1/30`, `fd5a:11f0:${number}::1/64`],
    inside: [`172.31.${number}.2/30`, `fd5a:11f0:${number}::2/64`],
  },
  /** Between the node and the world, a network namespace in which tests put servers at any address: nothing leads further. */
  world: {
    name: "world",
    node: ["192.168.251.2/30", "fd5a:11f0:251::2/64"],
    world: ["192.168.251.1/30", "fd5a:11f0:251::1/64"],
  },
  pods: ["10.244.0.0/16", "fd00:10:244::/56"],
  /** What the node has of them: the first of each, as the controller manager gives it. */
  nodePods: ["10.244.0.0/24", "fd00:10:244::/64"],
  services: ["10.96.0.0/16", "fd00:10:96::/112"],
  /** The first of the services' ranges, which the Service `kubernetes` has. */
  kubernetes: "10.96.0.1",
  dns: "10.96.0.10",
  apiPort: 6443,
} as const;

export type Families = "dual" | "ipv4";

/** Of a pair for IPv4 and IPv6, what such a cluster has. */
export const ofFamilies = (families: Families, both: readonly string[]): string[] =>
  families === "dual" ? [...both] : both.slice(0, 1);

export const withoutPrefix = (address: string): string => address.replace(/\/\d+$/, "");

/** The node's own addresses, IPv4 first. */
export const nodeAddresses = (families: Families): string[] =>
  ofFamilies(families, PLAN.link.inside).map(withoutPrefix);

export const apiUrl = `https://${withoutPrefix(PLAN.link.inside[0] ?? "")}:${PLAN.apiPort}`;
