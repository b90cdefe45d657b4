import type { DecisionRecord } from "@sallyport/core/record";

/** Of an ordinary connection, but for what is said otherwise. */
export function record(more: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    time: "2026-01-01T00:00:00.000Z",
    pod: "web-0",
    namespace: "shop",
    connection: 1,
    verdict: "allow",
    reason: "allowed.rule",
    rule: "shop/inside",
    matched: "10.0.0.0/8:443",
    original_address: "10.0.0.1",
    original_port: 443,
    bytes_sent: 10,
    bytes_received: 20,
    connect_ms: 1,
    duration_ms: 2,
    closed_by: "app",
    closed_how: "end",
    ...more,
  };
}
