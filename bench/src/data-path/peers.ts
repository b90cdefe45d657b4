/** The peers' programs: where they are, how they are started with a configuration of bench/peers, how they are got. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Command, Contender } from "./contender.ts";
import type { Place } from "./peer-file.ts";
import { HOW_TO_GET_ENVOY } from "./stage.ts";

type Peer = Pick<Contender, "missing" | "version" | "command">;
/** Writes the configuration and gives its path. */
type Configuration = (place: Place) => string;

const HAPROXY = "/usr/sbin/haproxy";
const NGINX = "/usr/sbin/nginx";
const NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

export function haproxy(configuration: Configuration): Peer {
  return {
    missing: existsSync(HAPROXY) ? undefined : "apt-get install haproxy",
    version: () => /version (\d[\d.]*)/.exec(said(HAPROXY, "-v"))?.[1] ?? "",
    command: (place) => ({ argv: [HAPROXY, "-db", "-f", configuration(place)] }),
  };
}

export function nginx(configuration: Configuration, modules: readonly string[] = []): Peer {
  return {
    missing: [NGINX, ...modules].every((file) => existsSync(file))
      ? undefined
      : "apt-get install nginx libnginx-mod-stream",
    version: () => /nginx\/(\S+)/.exec(said(NGINX, "-v"))?.[1] ?? "",
    command: (place) => nginxCommand(place.folder, configuration(place)),
  };
}

export function nginxCommand(folder: string, configuration: string): Command {
  return { argv: [NGINX, "-p", folder, "-c", configuration] };
}

export function nginxStream(configuration: Configuration): Peer {
  return nginx(configuration, [NGINX_STREAM]);
}

export function envoy(binary: string | undefined, configuration: Configuration): Peer {
  return {
    missing: binary ? undefined : HOW_TO_GET_ENVOY,
    version: () => /\d+\.\d+\.\d+/.exec(said(binary ?? "", "--version"))?.[0] ?? "",
    command: (place) => ({
      argv: [
        ...[binary ?? "", "-c", configuration(place)],
        ...["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
      ],
    }),
  };
}

export function nodeVersion(): string {
  return `Node ${process.version.slice(1)}`;
}

/** What a program says of itself; nginx says it on standard error. */
function said(program: string, argument: string): string {
  return execFileSync("sh", ["-c", 'exec "$0" "$1" 2>&1', program, argument], { encoding: "utf8" });
}
