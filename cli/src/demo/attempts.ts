import type { Reason } from "@sallyport/core/reasons";
import type { Attempt, Outcome } from "./attempt.ts";
import { WORLD } from "./world.ts";

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
  {
    ...http("allowed URL", API, "api.example.com", "answered", "allowed.rule"),
    connection: "kept",
    record: { request: 1, status: 200 },
  },
  {
    ...http("refused URL, same connection", API, "evil.example", "403", "denied.no_rule"),
    connection: "kept",
    record: { request: 2, status: 403 },
    isTold: true,
  },
  {
    ...http("allowed URL, hostile address", HOSTILE, "api.example.com", "answered", "allowed.rule"),
    reaches: API,
  },
  {
    ...http("a Service outside", "93.184.216.80", WORLD.partner.name, "answered", "allowed.rule"),
    arrivesAs: WORLD.partner.externalName,
    record: { external_name: WORLD.partner.externalName },
  },
  {
    ...http("WebSocket", "93.184.216.70", "events.example.com", "answered", "allowed.rule"),
    exchange: "websocket",
    record: { status: 101 },
  },
  {
    ...http("HTTP to TLS", "93.184.216.50", "secure.example.com", "answered", "allowed.rule"),
    port: 443,
    record: { originated: true },
  },
  {
    ...http(
      "HTTP to TLS, wrong certificate",
      "93.184.216.51",
      "misnamed.example.com",
      "502",
      "failed.tls_verify",
    ),
    port: 443,
    record: { originated: true, status: 502, error: "ERR_TLS_CERT_ALTNAME_INVALID" },
    isTold: true,
  },
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

function http(what: string, address: string, name: string, app: Outcome, sidecar: Reason): Attempt {
  return { what, protocol: "tcp", address, port: 80, exchange: "http", name, app, sidecar };
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
