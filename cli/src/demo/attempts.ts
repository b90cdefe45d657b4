import type { Reason } from "@sallyport/core/reasons";

/** What the app sees of an attempt. */
export type Outcome = "answered" | "reset" | "refused" | "wrong answer" | "no answer";

/** One thing that the app tries, and what must come of it. */
export interface Attempt {
  readonly what: string;
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly exchange: "http" | "download" | "echo" | "greeting" | "datagram" | "lookup";
  readonly app: Outcome;
  /** The verdict in the sidecar's record; undefined where the sidecar must not be asked at all. */
  readonly sidecar: Reason | undefined;
}

/** The policy of the demo's sidecar. */
export const POLICY = {
  mode: "enforce",
  allow: ["192.0.2.0/24:1-1024", "203.0.113.30:8080", "[2001:db8::/64]:*"],
} as const;

/** The ports that the demo's pod keeps out of the sidecar by annotation. */
export const EXCLUDED_PORTS = "9418";

export const ATTEMPTS: readonly Attempt[] = [
  tcp("HTTP, allowed", "192.0.2.10", 80, "http", "answered", "allowed.rule"),
  tcp("HTTP over IPv6, allowed", "2001:db8::10", 80, "http", "answered", "allowed.rule"),
  tcp("server speaks first", "192.0.2.25", 25, "greeting", "answered", "allowed.rule"),
  tcp("16 MiB download", "203.0.113.30", 8080, "download", "answered", "allowed.rule"),
  tcp("echo after half-close", "2001:db8::30", 7, "echo", "answered", "allowed.rule"),
  tcp("no rule", "198.51.100.66", 443, "http", "reset", "denied.no_rule"),
  tcp("no rule, IPv6", "2001:db8:bad::66", 443, "http", "reset", "denied.no_rule"),
  tcp("right address, wrong port", "203.0.113.30", 22, "http", "reset", "denied.no_rule"),
  tcp("nothing listens there", "192.0.2.10", 81, "http", "reset", "failed.connect_refused"),
  tcp("excluded by annotation", "203.0.113.94", 9418, "echo", "answered", undefined),
  udp("QUIC", "192.0.2.10", 443, "datagram", "refused"),
  udp("DNS to the resolver", "192.0.2.53", 53, "lookup", "answered"),
  udp("DNS to another server", "192.0.2.10", 53, "lookup", "refused"),
];

function tcp(
  what: string,
  address: string,
  port: number,
  exchange: Attempt["exchange"],
  app: Outcome,
  sidecar: Reason | undefined,
): Attempt {
  return { what, protocol: "tcp", address, port, exchange, app, sidecar };
}

function udp(
  what: string,
  address: string,
  port: number,
  exchange: Attempt["exchange"],
  app: Outcome,
): Attempt {
  return { what, protocol: "udp", address, port, exchange, app, sidecar: undefined };
}
