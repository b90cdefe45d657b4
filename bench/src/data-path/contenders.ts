import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PROXY_CONFIG_ENV, type ProxyConfigInput } from "@sallyport/proxy/contract";
import { envoyBinary, HOW_TO_GET_ENVOY } from "./envoy.ts";

/** Where a contender listens, where it leads, and a folder that it may write to. */
export interface Place {
  readonly port: number;
  readonly destination: string;
  readonly folder: string;
}

/** What is staged for everybody in a folder that any user can read: node, and the sidecar's bundle. */
export interface Staged {
  readonly node: string;
  readonly sidecar: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Contender {
  readonly name: string;
  /** What it does and what it runs on, as the report says it. */
  readonly note: string;
  /** A measure of what a listening process costs, not a proxy: it has no connections to carry. */
  readonly idleOnly?: boolean;
  /** Undefined where nothing stands between client and server. */
  readonly command?: (place: Place, staged: Staged) => Command;
  /** The one line that says how to get what is missing. */
  readonly missing?: () => string | undefined;
  readonly version?: () => string;
}

export const DIRECT = "direct";
export const OURS = "sallyport";
export const BARE = "bare-net";

const PEERS = resolve(import.meta.dirname, "../../peers");
const HAPROXY = "/usr/sbin/haproxy";
const NGINX = "/usr/sbin/nginx";
const NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

export const CONTENDERS: readonly Contender[] = [
  { name: DIRECT, note: "nothing in between: the limit of the bed" },
  {
    name: OURS,
    note: "the bundled sidecar, enforcing an address rule, its access log off; it does not read the SNI yet",
    command: ({ port }, { node, sidecar }) => ({
      argv: [node, sidecar],
      env: { [PROXY_CONFIG_ENV]: JSON.stringify(sidecarConfig(port)) },
    }),
    version: () => `Node ${process.version}`,
  },
  {
    name: "envoy",
    note: "original_dst, tls_inspector, tcp_proxy; one worker",
    missing: () => (envoyBinary() ? undefined : HOW_TO_GET_ENVOY),
    command: (place) => ({
      argv: [
        ...[envoyBinary() ?? "envoy", "-c", configure("envoy.yaml", place)],
        ...["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
      ],
    }),
    version: () => said(envoyBinary() ?? "envoy", "--version").match(/\d+\.\d+\.\d+/)?.[0] ?? "",
  },
  haproxy("haproxy", "as it comes; SNI read by req.ssl_sni; one thread"),
  haproxy("haproxy-tuned", "the same, every byte spliced, 256 KB pipes"),
  nginx("nginx", "stream as it comes; ssl_preread; one worker"),
  nginx("nginx-64k", "the same, buffers of 64 KB"),
  {
    name: "node-pipe",
    note: "Node's pipe() after reading the SNI",
    command: ({ port, destination, folder }, { node }) => ({
      argv: [node, copy("node-pipe.cjs", folder), String(port), destination],
    }),
    version: () => process.version,
  },
  {
    name: BARE,
    note: "a Node process that listens and does no more",
    idleOnly: true,
    command: ({ port, folder }, { node }) => ({
      argv: [node, copy("bare-net.cjs", folder), String(port)],
    }),
    version: () => process.version,
  },
];

function sidecarConfig(port: number): ProxyConfigInput {
  return {
    ports: { outbound: port, admin: 0, ready: 0 },
    policy: { mode: "enforce", allow: ["198.51.100.0/24:7000"] },
    accessLog: { select: "off" },
  };
}

function haproxy(name: string, note: string): Contender {
  return {
    name,
    note,
    missing: () => (existsSync(HAPROXY) ? undefined : "apt-get install haproxy"),
    command: (place) => ({ argv: [HAPROXY, "-db", "-f", configure(`${name}.cfg`, place)] }),
    version: () => said(HAPROXY, "-v").match(/version (\S+)/)?.[1] ?? "",
  };
}

function nginx(name: string, note: string): Contender {
  return {
    name,
    note,
    missing: () =>
      existsSync(NGINX) && existsSync(NGINX_STREAM)
        ? undefined
        : "apt-get install nginx libnginx-mod-stream",
    command: (place) => ({
      argv: [NGINX, "-p", place.folder, "-c", configure(`${name}.conf`, place)],
    }),
    version: () => said(NGINX, "-v").match(/nginx\/(\S+)/)?.[1] ?? "",
  };
}

/** A peer's file with `${PORT}`, `${DESTINATION}` and `${FOLDER}` as they are in this run. */
function configure(name: string, { port, destination, folder }: Place): string {
  const values: Record<string, string> = {
    PORT: String(port),
    DESTINATION: destination,
    FOLDER: folder,
  };
  const text = readFileSync(join(PEERS, name), "utf8").replaceAll(
    /\$\{([A-Z]+)\}/g,
    (whole, key) => values[key] ?? whole,
  );
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function copy(name: string, folder: string): string {
  const file = join(folder, name);
  writeFileSync(file, readFileSync(join(PEERS, name)));
  return file;
}

/** nginx says its version on standard error. */
function said(program: string, ...args: string[]): string {
  return execFileSync("sh", ["-c", 'exec "$@" 2>&1', "sh", program, ...args], {
    encoding: "utf8",
  });
}
