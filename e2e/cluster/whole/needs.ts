import { type Sources, sources } from "../environment.ts";
import { executable, findPrograms } from "../programs.ts";

/** What is built for the node, or found (programs.ts). */
export const BUILT = [
  ...(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const),
  ...(["kubelet", "kube-proxy", "coredns", "pause"] as const),
] as const;

/** What a machine brings, and the Debian package that has it. */
export const INSTALLED = {
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  debootstrap: "debootstrap",
  iptables: "iptables",
  ip: "iproute2",
  sysctl: "procps",
  nsenter: "util-linux",
  setpriv: "util-linux",
  unshare: "util-linux",
} as const;

/** Why the whole cluster cannot be started here, in one line; false where it can. */
export function lackingWholeCluster(from: Sources = sources()): string | false {
  if (process.getuid?.() !== 0) return "NOT TESTED HERE: the whole cluster needs root";
  const folders = [...from.path, "/usr/sbin", "/sbin"];
  const packages = Object.entries(INSTALLED)
    .filter(
      ([name]) =>
        !(name.startsWith("/")
          ? executable(name)
          : folders.some((folder) => executable(`${folder}/${name}`))),
    )
    .map(([, debianPackage]) => debianPackage);
  if (packages.length > 0)
    return `NOT TESTED HERE: apt-get install ${[...new Set(packages)].join(" ")}`;
  const found = findPrograms(BUILT, from);
  return "missing" in found && `NOT TESTED HERE: ${found.missing}`;
}
