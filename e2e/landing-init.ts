import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { INIT_CONFIG_ENV, type InitConfigInput } from "@sallyport/init/contract";
import { SIDECAR, SIDECAR_PORT } from "./landing.ts";

const MAIN = join(import.meta.dirname, "../init/src/main.ts");

export const BASE: InitConfigInput = {
  proxyPort: SIDECAR_PORT,
  proxyUid: SIDECAR.uid,
  proxyGid: SIDECAR.gid,
};

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** init as the process that a pod starts, in its namespace; `wrapper` is put before it on the command line. */
export async function runInit(
  namespace: NetworkNamespace,
  config: InitConfigInput,
  { args = [], wrapper = [] }: { args?: readonly string[]; wrapper?: readonly string[] } = {},
): Promise<Ran> {
  const child = namespace.spawn([...wrapper, process.execPath, MAIN, ...args], {
    env: { ...process.env, [INIT_CONFIG_ENV]: JSON.stringify(config) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (!child.stdout || !child.stderr) throw new Error("no output");
  const ended = new Promise((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status: child.exitCode, stdout, stderr };
}

export type BackendKind = "nft" | "legacy";

/** The backends that this machine has, as a namespace of their own shows without touching anybody's rules. */
export const BACKENDS = (["nft", "legacy"] as const).filter(
  (kind) => spawnSync("unshare", ["--net", `iptables-${kind}`, "-t", "nat", "-S"]).status === 0,
);

/** A rule of somebody else's, by which init also knows which backend is in use. */
export async function addForeignRules(
  namespace: NetworkNamespace,
  kind: BackendKind,
): Promise<void> {
  for (const command of [`iptables-${kind}`, `ip6tables-${kind}`]) {
    await namespace.run(command, "-A", "INPUT", "-p", "tcp", "--dport", "1", "-j", "ACCEPT");
    await namespace.run(command, "-A", "OUTPUT", "-p", "tcp", "--dport", "1", "-j", "ACCEPT");
    await namespace.run(command, "-t", "nat", "-N", "FOREIGN");
    await namespace.run(command, "-t", "nat", "-I", "OUTPUT", "-p", "udp", "-j", "FOREIGN");
  }
}

/** What iptables-save shows of both families, without counters and times. */
export async function savedRules(namespace: NetworkNamespace, kind: BackendKind): Promise<string> {
  const both = await Promise.all(
    [`iptables-${kind}-save`, `ip6tables-${kind}-save`].map((command) => namespace.run(command)),
  );
  return both
    .join("")
    .replace(/^#.*\n/gm, "")
    .replace(/ \[\d+:\d+\]/g, "");
}
