import assert from "node:assert/strict";
import { test } from "node:test";
import { formatJson, formatPrometheus, formatText } from "../src/admin/stats-format.ts";
import type { LiveConnection } from "../src/live-connection.ts";
import { figure, MAX_CLUSTERS, TrafficStats } from "../src/stats.ts";
import { record } from "./support/record.ts";

const live: LiveConnection = {
  id: 2,
  startedMs: 0,
  source: { address: "10.0.0.2", port: 40_000 },
  destination: { address: "10.0.0.1", port: 443 },
  reason: "allowed.rule",
  rule: "shop/inside",
  matched: "10.0.0.0/8:443",
  bytesSent: 5,
  bytesReceived: 6,
};

function example(): TrafficStats {
  const stats = new TrafficStats();
  stats.add(record({}));
  const { connect_ms: _, ...unconnected } = record({
    reason: "failed.connect_timeout",
    bytes_sent: 0,
    bytes_received: 0,
  });
  stats.add(unconnected);
  stats.add(record({ verdict: "deny", reason: "denied.no_rule" }));
  const { matched: __, ...audited } = record({
    reason: "allowed.audit",
    would_be: "denied.no_rule",
  });
  stats.add(audited);
  return stats;
}

test("the text form is Envoy's: its names, one a line, sorted, and open connections count", () => {
  assert.equal(
    formatText(example().collect([live])),
    `cluster.10.0.0.0/8_443.upstream_cx_active: 1
cluster.10.0.0.0/8_443.upstream_cx_connect_fail: 1
cluster.10.0.0.0/8_443.upstream_cx_connect_timeout: 1
cluster.10.0.0.0/8_443.upstream_cx_rx_bytes_total: 26
cluster.10.0.0.0/8_443.upstream_cx_total: 3
cluster.10.0.0.0/8_443.upstream_cx_tx_bytes_total: 15
cluster.audit.upstream_cx_active: 0
cluster.audit.upstream_cx_connect_fail: 0
cluster.audit.upstream_cx_connect_timeout: 0
cluster.audit.upstream_cx_rx_bytes_total: 20
cluster.audit.upstream_cx_total: 1
cluster.audit.upstream_cx_tx_bytes_total: 10
egress.allowed.audit: 1
egress.allowed.baseline: 0
egress.allowed.cluster: 0
egress.allowed.rule: 1
egress.denied.boundary: 0
egress.denied.ceiling: 0
egress.denied.limit: 0
egress.denied.loop: 0
egress.denied.malformed: 0
egress.denied.name_invalid: 0
egress.denied.name_missing: 0
egress.denied.no_rule: 1
egress.denied.private_address: 0
egress.denied.protocol: 0
egress.denied.stale_address: 0
egress.denied.too_large: 0
egress.failed.connect_refused: 0
egress.failed.connect_timeout: 1
egress.failed.dns: 0
egress.failed.internal: 0
egress.failed.reset: 0
egress.failed.response: 0
egress.failed.response_timeout: 0
egress.failed.tls: 0
egress.failed.tls_verify: 0
egress.failed.unreachable: 0
egress.revoked: 0
egress.would_be.denied.no_rule: 1
`,
  );
});

test("a counter never goes down: what is still being dialled and then fails was counted once and for all", () => {
  const stats = new TrafficStats();
  const total = () =>
    stats
      .collect(open)
      .filter(({ name }) => name.endsWith(".upstream_cx_total"))
      .map(({ name, value }) => [name, value]);
  let open: readonly LiveConnection[] = [live];
  const dialling = total();
  open = [];
  const { connect_ms: _, ...failed } = record({ reason: "failed.connect_refused" });
  stats.add(failed);
  assert.deepEqual(dialling, [["cluster.10.0.0.0/8_443.upstream_cx_total", 1]]);
  assert.deepEqual(total(), dialling);
});

test("requests are counted one by one, their connections as often as one was dialled, as Envoy does", () => {
  const stats = new TrafficStats();
  const { connect_ms: _, ...reused } = record({ request: 2, status: 404 });
  stats.add(record({ request: 1, status: 200 }));
  stats.add({ ...reused, retried: true });
  stats.add({ ...reused, request: 3, status: 504, reason: "failed.response_timeout" });
  stats.add({ ...reused, request: 4, status: 502, reason: "failed.connect_refused" });
  // The app went before there was an answer.
  const { status: __, ...unanswered } = reused;
  stats.add(unanswered);
  const cluster = formatText(stats.collect([])).matchAll(
    /^cluster\.10\.0\.0\.0\/8_443\.(.*): (\d+)$/gm,
  );
  assert.deepEqual(
    Object.fromEntries([...cluster].map(([, name, value]) => [name, Number(value)])),
    {
      upstream_cx_active: 0,
      upstream_cx_connect_fail: 1,
      upstream_cx_connect_timeout: 0,
      upstream_cx_http1_total: 2,
      upstream_cx_rx_bytes_total: 100,
      upstream_cx_total: 2,
      upstream_cx_tx_bytes_total: 50,
      upstream_rq_1xx: 0,
      upstream_rq_2xx: 1,
      upstream_rq_3xx: 0,
      upstream_rq_4xx: 1,
      upstream_rq_5xx: 2,
      upstream_rq_completed: 4,
      upstream_rq_pending_failure_eject: 1,
      upstream_rq_retry: 1,
      upstream_rq_retry_success: 1,
      upstream_rq_timeout: 1,
      upstream_rq_total: 4,
    },
  );
});

test("a connection whose requests are counted is open, and not counted again", () => {
  const stats = new TrafficStats();
  stats.add(record({ request: 1, status: 200 }));
  const text = (open: readonly LiveConnection[]) => formatText(stats.collect(open));
  assert.equal(
    text([{ ...live, requests: 1 }]),
    text([]).replace("upstream_cx_active: 0", "upstream_cx_active: 1"),
  );
});

test("a destination that answers badly has been reached: that is no failure to connect", () => {
  const stats = new TrafficStats();
  stats.add(record({ request: 1, status: 502, reason: "failed.response" }));
  const text = formatText(stats.collect([]));
  assert.match(text, /upstream_cx_connect_fail: 0$/m);
  assert.match(text, /upstream_rq_5xx: 1$/m);
});

test("a connection that is being refused belongs to no cluster", () => {
  const { matched: _, ...unruled } = live;
  const stats = new TrafficStats().collect([{ ...unruled, reason: "denied.no_rule" }]);
  assert.deepEqual(
    stats.filter(({ labels }) => labels.cluster),
    [],
  );
});

test("the JSON form has the same names and values", () => {
  const stats = example().collect([]);
  const { stats: listed } = JSON.parse(formatJson(stats));
  const text = listed.map(
    ({ name, value }: { name: string; value: number }) => `${name}: ${value}\n`,
  );
  assert.equal(text.join(""), formatText(stats));
});

/** A reader of the exposition format that knows nothing of its writer. */
function parsePrometheus(text: string): Map<string, number> {
  const values = new Map<string, number>();
  let family = "";
  for (const line of text.split("\n").filter(Boolean)) {
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line);
    if (type) {
      assert.ok(![...values.keys()].some((key) => key.split("{")[0] === type[1]), `${line} twice`);
      family = type[1] ?? "";
      continue;
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.e+]+)$/.exec(
        line,
      );
    assert.ok(sample, line);
    assert.equal(sample[1], family, "a sample stands under its own family");
    values.set(`${sample[1]}${sample[2] ?? ""}`, Number(sample[3]));
  }
  return values;
}

test("the Prometheus form can be read by a strict reader, each family once", () => {
  const values = parsePrometheus(
    formatPrometheus([...example().collect([live]), figure("server.uptime", "gauge", 7)]),
  );
  assert.equal(values.get('sallyport_cluster_upstream_cx_total{cluster="10.0.0.0/8_443"}'), 3);
  assert.equal(values.get('sallyport_egress_total{reason="denied.no_rule"}'), 1);
  assert.equal(values.get("sallyport_server_uptime"), 7);
});

test("a label's quotes, backslashes and line ends are escaped", () => {
  const stats = new TrafficStats();
  stats.add(record({ matched: 'a"b\\c\nd' }));
  const values = parsePrometheus(formatPrometheus(stats.collect([])));
  assert.equal(values.get('sallyport_cluster_upstream_cx_total{cluster="a\\"b\\\\c\\nd"}'), 1);
});

test("clusters beyond the bound are counted together", () => {
  const stats = new TrafficStats();
  for (let i = 0; i < MAX_CLUSTERS + 50; i++) stats.add(record({ matched: `rule ${i}` }));
  const names = new Set(stats.collect([]).map(({ labels }) => labels.cluster));
  names.delete(undefined);
  assert.equal(names.size, MAX_CLUSTERS + 1);
  assert.match(formatText(stats.collect([])), /^cluster\._other\.upstream_cx_total: 50$/m);
});
