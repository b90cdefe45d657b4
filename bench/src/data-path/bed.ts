import { cpus } from "node:os";
import { link, NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { said } from "../measure.ts";

/** TEST-NET-2 (RFC 5737): nobody else's. */
export const DESTINATIONS = "198.51.100.0/24";
export const PORT = 7_000; // bench/load/load.h
const NEAR = "198.51.100.1";
const addressOf = (index: number) => `198.51.100.${10 + index}`;

/** Whose packets are not redirected: every contender runs with this group, and a user of its own. */
export const GROUP = 31_000;

/** Proxies on the first core; both ends of every connection, and this program, on the second. */
export const CORES = { proxy: 0, ends: Math.min(1, cpus().length - 1) } as const;

/**
 * The kernel's settings, alike on both sides. Reno is the one congestion control that any namespace may choose; ports
 * and connection tracking entries of closed connections come back soon, for tens of thousands are made in seconds.
 */
export const CONGESTION_CONTROL = "reno";
const SETTINGS = [
  `net.ipv4.tcp_congestion_control=${CONGESTION_CONTROL}`,
  "net.ipv4.ip_local_port_range=1024 65535",
  "net.ipv4.tcp_tw_reuse=1",
];
const TRACKING = "net.netfilter.nf_conntrack_tcp_timeout_time_wait=1";

/** Client and contenders on the near side, the server on the far one, a veth pair between them. */
export interface Bed {
  readonly near: NetworkNamespace;
  readonly far: NetworkNamespace;
  /** The destination that is this contender's alone: nothing is redirected there yet. */
  destination(index: number): string;
  /** From now on what is sent there reaches the contender's port instead. */
  redirect(destination: string, port: number): Promise<void>;
  close(): Promise<void>;
}

export async function layBed(server: string, contenders: number): Promise<Bed> {
  const near = await NetworkNamespace.create();
  const far = await NetworkNamespace.create();
  const close = async () => {
    await near.close();
    await far.close();
  };
  try {
    const destinations = Array.from({ length: contenders }, (_, index) => addressOf(index));
    await link(
      { namespace: near, name: "eth0", addresses: [`${NEAR}/24`] },
      { namespace: far, name: "eth0", addresses: destinations.map((address) => `${address}/24`) },
    );
    for (const side of [near, far]) await side.run("sysctl", "-qw", ...SETTINGS);
    const spared = ["-m", "owner", "--gid-owner", String(GROUP), "-j", "RETURN"];
    await near.run("iptables", "-w", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", ...spared);
    await near.run("sysctl", "-qw", TRACKING);
    const child = far.spawn(["taskset", "-c", String(CORES.ends), server], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await said(child, /ready/);
    return { near, far, destination: addressOf, redirect: redirectOn(near), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function redirectOn(near: NetworkNamespace): Bed["redirect"] {
  return async (destination, port) => {
    await near.run(
      ...["iptables", "-w", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", destination],
      ...["-j", "REDIRECT", "--to-ports", String(port)],
    );
  };
}
