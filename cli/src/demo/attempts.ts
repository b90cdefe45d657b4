import type { Reason } from "@sallyport/core/reasons";
import { API_VERSION, type Destination, type EgressRule } from "@sallyport/core/rules";
import { WORLD } from "./world.ts";

/** What the app sees of an attempt. */
export type Outcome =
  | "answered"
  | "reset"
  | "refused"
  | "TLS alert"
  | "403"
  | "wrong answer"
  | "no answer";

/** One thing that the app tries, and what must come of it. */
export interface Attempt {
  readonly what: string;
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly exchange: "http" | "tls" | "download" | "echo" | "greeting" | "datagram" | "lookup";
  /** The SNI, or the Host. */
  readonly name?: string;
  /** Where it must arrive, if not at the address dialled. */
  readonly reaches?: string;
  readonly app: Outcome;
  /** The verdict in the sidecar's record; undefined where the sidecar must not be asked at all. */
  readonly sidecar: Reason | undefined;
}

function rule(name: string, ...to: Destination[]): EgressRule {
  return { apiVersion: API_VERSION, kind: "EgressRule", metadata: { name }, spec: { to } };
}

/** The policy of the demo's sidecar. */
export const POLICY = {
  mode: "enforce" as const,
  resolvers: [WORLD.resolver],
  rules: [
    rule(
      "api",
      {
        hosts: ["api.example.com", "inside.example.com"],
        ports: [
          { port: 443, protocol: "tls" },
          { port: 80, protocol: "http" },
        ],
      },
      { hosts: ["*.cdn.example.com"], ports: [{ port: 443, protocol: "tls" }] },
    ),
    rule("database", { hosts: ["db.example.com"], ports: [{ port: 5432, protocol: "tcp" }] }),
    rule(
      "partners",
      { cidrs: ["192.0.2.0/24"], ports: [{ port: 1, endPort: 1_024, protocol: "tcp" }] },
      { cidrs: ["203.0.113.30/32"], ports: [{ port: 8_080, protocol: "tcp" }] },
      { cidrs: ["2001:db8::/64"], ports: [{ port: 1, endPort: 65_535, protocol: "tcp" }] },
    ),
  ],
};

/** What is added while the sidecar runs, and taken away again. */
export const LATER = rule("new", {
  hosts: ["new.example.com"],
  ports: [
    { port: 443, protocol: "tls" },
    { port: 9_000, protocol: "tcp" },
  ],
});

/** The ports that the demo's pod keeps out of the sidecar by annotation. */
export const EXCLUDED_PORTS = "9418";

const HOSTILE = "198.51.100.66";
const API = "93.184.216.10";

export const ATTEMPTS: readonly Attempt[] = [
  tls("allowed host", API, "api.example.com", "answered", "allowed.rule"),
  tls("allowed host, IPv6", "2606:2800:220:1::10", "api.example.com", "answered", "allowed.rule"),
  tls("wildcard", "93.184.216.20", "static.cdn.example.com", "answered", "allowed.rule"),
  {
    ...tls("allowed host, hostile address", HOSTILE, "api.example.com", "answered", "allowed.rule"),
    reaches: API,
  },
  tls("another host, hostile address", HOSTILE, "evil.example", "TLS alert", "denied.no_rule"),
  tls(
    "allowed host that leads inside",
    "10.10.0.1",
    "inside.example.com",
    "TLS alert",
    "denied.private_address",
  ),
  { ...tcp("HTTP by name", API, 80, "http", "answered", "allowed.rule"), name: "api.example.com" },
  { ...tcp("HTTP, another name", API, 80, "http", "403", "denied.no_rule"), name: "evil.example" },
  tcp("database by name", "93.184.216.40", 5432, "echo", "answered", "allowed.rule"),
  tcp("another database", "203.0.113.94", 5432, "echo", "reset", "denied.stale_address"),
  tcp("HTTP by address", "192.0.2.10", 80, "http", "answered", "allowed.rule"),
  tcp("HTTP by address, IPv6", "2001:db8::10", 80, "http", "answered", "allowed.rule"),
  tcp("server speaks first", "192.0.2.25", 25, "greeting", "answered", "allowed.rule"),
  tcp("16 MiB download", "203.0.113.30", 8080, "download", "answered", "allowed.rule"),
  tcp("echo after half-close", "2001:db8::30", 7, "echo", "answered", "allowed.rule"),
  tcp("right address, wrong port", "203.0.113.30", 22, "http", "403", "denied.no_rule"),
  tcp("nothing listens there", "192.0.2.10", 81, "http", "reset", "failed.connect_refused"),
  tcp("excluded by annotation", "203.0.113.94", 9418, "echo", "answered", undefined),
  udp("QUIC", "192.0.2.10", 443, "datagram", "refused"),
  udp("DNS to the resolver", "192.0.2.53", 53, "lookup", "answered"),
  udp("DNS to another server", "192.0.2.10", 53, "lookup", "refused"),
];

export const NEW_HOST = tls(
  "a host without a rule",
  "93.184.216.60",
  "new.example.com",
  "TLS alert",
  "denied.no_rule",
);

function tls(what: string, address: string, name: string, app: Outcome, sidecar: Reason): Attempt {
  return { what, protocol: "tcp", address, port: 443, exchange: "tls", name, app, sidecar };
}

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
