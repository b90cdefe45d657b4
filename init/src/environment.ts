import { closeSync, constants, openSync, readFileSync } from "node:fs";

const LOCK_FILE = "/run/xtables.lock";

/**
 * The environment that iptables runs in. PATH is completed, for a shell of Debian's leaves out /usr/sbin. Where the
 * legacy backend cannot open its lock file because the root file system is read-only, the network namespace itself is
 * locked: flock(2) takes any file, and the rules are the namespace's (XTABLES_LOCKFILE: iptables 1.8.6).
 */
export function iptablesEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const lock = env.XTABLES_LOCKFILE ?? (canOpen(LOCK_FILE) ? LOCK_FILE : "/proc/self/ns/net");
  return {
    ...env,
    PATH: `${env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    XTABLES_LOCKFILE: lock,
  };
}

/** As iptables opens it (xshared.c, xtables_lock): made where it is missing. */
function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_CREAT, 0o600));
    return true;
  } catch {
    return false;
  }
}

/** Without the file the kernel has no IPv6; with it empty, IPv6 is disabled on every interface, loopback included. */
export function ipv6IsOff(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") === "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}
