import type { ChildProcess, StdioOptions } from "node:child_process";
import type { NetworkNamespace } from "./namespace.ts";
import { type Container, fieldOf, type Pod } from "./pod.ts";
import { type ConfigMapMount, configMapMounts, mountCommands } from "./volumes.ts";

/** Where a container runs. */
export interface Host {
  readonly namespace: NetworkNamespace;
  /** Image name → the folder that the container sees, read-only, as /opt/sallyport. Other images see no such folder. */
  readonly images: Readonly<Record<string, string>>;
  /** ConfigMap name → the folder that has its keys, one file each. */
  readonly configMaps?: Readonly<Record<string, string>>;
  /** Its /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Its /etc/hosts; this machine's own unless told. */
  readonly hosts?: string;
}

/** What runtimes give where an image says nothing. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a container keeps of root's capabilities unless it says otherwise (containerd's and Docker's default set). */
const DEFAULT_CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"],
  ...["NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
];

/**
 * A mount namespace in which / and /proc/sys are read-only where the container asks for it, the image stands at
 * /opt/sallyport and `node` in it is the one that runs this. Every mount goes with the process.
 */
const rootFilesystem = (mounts: readonly ConfigMapMount[]) => `
mount -t tmpfs -o size=1m,mode=755 tmpfs /opt
mkdir /opt/sallyport /opt/resolver
printf '%b' "$RESOLV_CONF" > /opt/resolver/resolv.conf
mount --bind /opt/resolver/resolv.conf /etc/resolv.conf
if [ -n "$HOSTS" ]; then
  printf '%b' "$HOSTS" > /opt/resolver/hosts
  mount --bind /opt/resolver/hosts /etc/hosts
fi
if [ -n "$IMAGE" ]; then
  mount -t tmpfs -o size=1m,mode=755 tmpfs /opt/sallyport
  mkdir -m 755 /opt/sallyport/build
  for file in "$IMAGE"/*.cjs "$IMAGE"/*.html; do
    [ -f "$file" ] || continue
    : > "/opt/sallyport/\${file##*/}"
    mount --bind "$file" "/opt/sallyport/\${file##*/}"
  done
  [ ! -d "$IMAGE/build" ] || mount --bind "$IMAGE/build" /opt/sallyport/build
  : > /opt/sallyport/node
  mount --bind "$NODE" /opt/sallyport/node
fi
${mounts.flatMap(mountCommands).join("\n")}
[ -z "$IMAGE" ] || mount -o remount,ro /opt/sallyport
mount -o remount,ro /opt
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
if [ "$READ_ONLY" = true ]; then mount -o remount,bind,ro /; fi
unset HOSTS IMAGE NODE READ_ONLY RESOLV_CONF
exec "$@"
`;

/**
 * Starts a container of a pod as the kubelet would: its command, args, env, ConfigMaps, user, group, capabilities and
 * read-only root. Images, other volumes, limits and seccomp are not played.
 */
export function startContainer(
  pod: Pod,
  container: Container,
  { namespace, images, configMaps = {}, resolvConf, hosts = "" }: Host,
  stdio: StdioOptions,
): ChildProcess {
  const security = container.securityContext ?? {};
  return namespace.spawn(
    [
      ...["unshare", "--mount", "--propagation", "private", "--"],
      ...["sh", "-euc", rootFilesystem(configMapMounts(pod, container, configMaps)), "sh"],
      ...["setpriv", ...privileges(security), "--"],
      ...["env", "-i", ...environment(pod, container)],
      ...(container.command ?? []),
      ...(container.args ?? []),
    ],
    {
      stdio,
      env: {
        PATH,
        IMAGE: images[container.image] ?? "",
        NODE: process.execPath,
        READ_ONLY: String(security.readOnlyRootFilesystem ?? false),
        RESOLV_CONF: resolvConf.replaceAll("\n", "\\n"),
        HOSTS: hosts.replaceAll("\n", "\\n"),
      },
    },
  );
}

function privileges(security: NonNullable<Container["securityContext"]>): string[] {
  const dropped = (security.capabilities?.drop ?? []).map(capabilityName);
  const kept = DEFAULT_CAPABILITIES.filter(
    (name) => !dropped.includes("ALL") && !dropped.includes(name),
  );
  const added = (security.capabilities?.add ?? []).map(capabilityName);
  const bounding = [...new Set([...kept, ...added])].map((name) => `+${name.toLowerCase()}`);
  return [
    ...["--reuid", String(security.runAsUser ?? 0), "--regid", String(security.runAsGroup ?? 0)],
    ...["--clear-groups", "--inh-caps", "-all", "--bounding-set", ["-all", ...bounding].join(",")],
    ...(security.allowPrivilegeEscalation === false ? ["--no-new-privs"] : []),
    // After the change of user, which clears it (commit_creds in kernel/cred.c).
    ...["--pdeathsig", "KILL"],
  ];
}

function capabilityName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

/** Plain values and the two downward API fields; anything else cannot be played and says so. */
function environment(pod: Pod, container: Container): string[] {
  const variables = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const text = valueFrom ? fieldOf(pod, valueFrom.fieldRef?.fieldPath ?? "") : (value ?? "");
    if (text === undefined)
      throw new Error(`container ${container.name}: cannot give ${name} its value here`);
    return `${name}=${text}`;
  });
  return [`PATH=${PATH}`, ...variables];
}
