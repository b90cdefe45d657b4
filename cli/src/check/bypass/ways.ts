import { PORTS } from "@sallyport/proxy/contract";
import type { Attempt } from "./attempt.ts";

/** What the ways lead to: by themselves addresses for documentation (RFC 5737, RFC 3849), which answer nobody. */
export interface Targets {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Of the ways that need no port of their own. */
  readonly port: number;
}

export const NOBODY: Targets = { ipv4: "192.0.2.1", ipv6: "2001:db8::1", port: 8_443 };
/** Where an allowed name is not: each of its own, so that the sidecar's records are told apart. */
const ELSEWHERE = { tls: "198.51.100.1", http: "198.51.100.1", tunnel: "203.0.113.1" };
/** What no sidecar is asked for otherwise: a name that nobody has (RFC 2606 §2). */
const NO_NAME = "bypass.sallyport.invalid";

/** Names that the policy permits, of which one is claimed where it is not. */
export interface AllowedNames {
  readonly tls?: string | undefined;
  readonly http?: string | undefined;
}

/** What is known of the pod's sidecar before anything is tried. */
export interface Known {
  readonly uid: number;
  readonly gid: number;
  readonly excludePorts: readonly number[];
  readonly names: AllowedNames;
}

/** What a way is judged by (judge.ts). */
export type Manner = "dial" | "spoof" | "listener" | "page" | "become";

export interface Way {
  readonly id: string;
  readonly what: string;
  readonly manner: Manner;
  readonly attempt: Attempt;
}

/** Of many excluded ports a few show it. */
const MOST_EXCLUDED = 3;

export function waysFor({ uid, gid, excludePorts, names }: Known, to: Targets): Way[] {
  const tcp = (id: string, what: string, address: string, port: number): Way => ({
    ...{ id, what, manner: "dial" },
    attempt: { id, kind: "tcp", address, port },
  });
  const udp = (id: string, what: string, address: string, port: number): Way => ({
    ...{ id, what, manner: "dial" },
    attempt: { id, kind: "udp", address, port },
  });
  const page = (id: string, what: string, method: string, host: string): Way => ({
    ...{ id, what, manner: "page" },
    attempt: { id, kind: "page", port: PORTS.admin, path: "/config_dump", method, host },
  });
  const ways = [
    tcp("tcp_ipv4", "TCP to an address", to.ipv4, to.port),
    tcp("tcp_ipv6", "TCP to an IPv6 address", to.ipv6, to.port),
    ...excludePorts
      .slice(0, MOST_EXCLUDED)
      .map((port) => tcp(`tcp_excluded_${port}`, "TCP on an excluded port", to.ipv4, port)),
    udp("quic_ipv4", "QUIC", to.ipv4, 443),
    udp("quic_ipv6", "QUIC over IPv6", to.ipv6, 443),
    udp("udp_ipv4", "other UDP", to.ipv4, to.port),
    udp("udp_ipv6", "other UDP over IPv6", to.ipv6, to.port),
    udp("dns_udp", "DNS to another resolver", to.ipv4, 53),
    udp("dns_udp_ipv6", "DNS to another resolver over IPv6", to.ipv6, 53),
    tcp("dns_tcp", "DNS over TCP to another resolver", to.ipv4, 53),
    tcp("dns_tls", "DNS over TLS to another resolver", to.ipv4, 853),
    {
      ...{ id: "tls_without_name", what: "TLS to an address, without a name", manner: "dial" },
      attempt: { id: "tls_without_name", kind: "tls", address: to.ipv4, port: 443 },
    },
    {
      ...{ id: "tls_spoofed_name", what: "TLS with a name that is not there", manner: "spoof" },
      attempt: {
        ...{ id: "tls_spoofed_name", kind: "tls", address: ELSEWHERE.tls, port: 443 },
        name: names.tls ?? NO_NAME,
      },
    },
    {
      ...{ id: "http_spoofed_host", what: "HTTP with a Host that is not there", manner: "spoof" },
      attempt: {
        ...{ id: "http_spoofed_host", kind: "tcp", address: ELSEWHERE.http, port: 80 },
        say: `HEAD / HTTP/1.1\r\nHost: ${names.http ?? NO_NAME}\r\nConnection: close\r\n\r\n`,
      },
    },
    {
      ...{ id: "http_connect", what: "a tunnel by CONNECT", manner: "spoof" },
      attempt: {
        ...{ id: "http_connect", kind: "tcp", address: ELSEWHERE.tunnel, port: 80 },
        say: `CONNECT ${to.ipv4}:443 HTTP/1.1\r\nHost: ${to.ipv4}:443\r\n\r\n`,
      },
    },
    {
      ...{ id: "listener", what: "the sidecar's own listener", manner: "listener" },
      attempt: { id: "listener", kind: "tcp", address: "127.0.0.1", port: PORTS.outbound },
    },
    page("admin_rebound", "the admin pages, by a foreign Host", "GET", NO_NAME),
    page("admin_write", "the admin pages, to change something", "POST", "localhost"),
    page("admin_read", "the admin pages, to read", "GET", "localhost"),
  ] satisfies Way[];
  const apart = ways.filter(
    ({ attempt }, i) => !ways.slice(i + 1).some((later) => isSame(attempt, later.attempt)),
  );
  const next = { id: "proxy_user", kind: "tcp", address: to.ipv4 } as const;
  const ports = [to.port + 1, to.port - 1, 8_445, 8_446, 8_447, 8_448, 8_449, 8_450];
  const port =
    ports.find(
      (each) => each < 65_536 && !apart.some((way) => isSame(way.attempt, { ...next, port: each })),
    ) ?? NOBODY.port;
  return [
    ...apart,
    {
      ...{ id: "proxy_user", what: "as the sidecar's user", manner: "become" },
      attempt: { id: "proxy_user", kind: "become", uid, gid, next: { ...next, port } },
    },
  ];
}

/**
 * The sidecar's records are told apart by address and port: of two attempts that have both in common the later is made,
 * which is the more particular.
 */
function isSame(a: Attempt, b: Attempt): boolean {
  const places = [a, b].map((each) =>
    each.kind === "tcp" || each.kind === "tls" ? `${each.address} ${each.port}` : undefined,
  );
  return places[0] !== undefined && places[0] === places[1];
}
