import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import type { Insight } from "../src/admin/insight.ts";
import { adminRoutes, readyRoutes } from "../src/admin/routes.ts";
import { serve } from "../src/admin/server.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import { figure } from "../src/stats.ts";
import { record } from "./support/record.ts";

const refused: DestinationSummary = {
  ...{ id: 7, name: "evil.example", address: "203.0.113.7", port: 443, protocol: "tls" },
  ...{ reason: "denied.no_rule", nearest: "shop/api", open: 0, connections: 3, requests: 0 },
  ...{ bytes_sent: 0, bytes_received: 0, first_time: "2026-01-01T00:00:00.000Z" },
};

const insight: Insight = {
  overview: () => ({
    ...{ pod: "web-0", namespace: "shop" },
    ...{ started: "2026-01-01T00:00:00.000Z", now: "2026-01-01T00:01:00.000Z" },
    policy: { mode: "enforce", version: 2, applied: "2026-01-01T00:00:30.000Z" },
    connections: { open: 1, accepted: 3 },
  }),
  destinations: async () => [refused],
  others: () => ({
    ...{ destinations: 4, connections: 5, requests: 6, bytes_sent: 0, bytes_received: 0 },
  }),
  decisions: (id) => (id === undefined || id === 7 ? [record({ name: "evil.example" })] : []),
  explanation: (id) =>
    id === 7
      ? {
          ...{
            reason: "denied.no_rule",
            message: "it was refused",
            destination: "203.0.113.7:443",
          },
          nearest: { rule: "shop/api", entry: 0, why: "it permits another name" },
          manifest: "kind: EgressRule\n",
        }
      : undefined,
  stats: async () => [
    figure("server.uptime", "gauge", 7),
    figure("listener.x.downstream_cx_total", "counter", 3),
  ],
  config: () => ({ policy: { mode: "audit" } }),
  connections: async () => [],
  notReady: () => undefined,
  warning: () => undefined,
};

interface Asked {
  readonly status: number;
  readonly body: string;
  readonly type: string;
}

async function ask(
  path: string,
  {
    method = "GET",
    host = "localhost",
    of = insight,
    hosts = ["localhost"],
    routes = adminRoutes,
  } = {},
): Promise<Asked> {
  const server = await serve(routes(of), { host: "127.0.0.1", port: 0 }, hosts);
  try {
    return await new Promise((resolve, reject) => {
      request(
        { host: "127.0.0.1", port: server.port, path, method, headers: { host } },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk) => {
            body += chunk;
          });
          response.on("end", () => {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, body, type: String(headers["content-type"]) });
          });
        },
      )
        .on("error", reject)
        .end();
    });
  } finally {
    server.close();
  }
}

for (const [path, status, body, type] of [
  ["/", 200, /\/stats/, "text/plain"],
  ["/stats", 200, /^listener\.x\.downstream_cx_total: 3\nserver\.uptime: 7\n$/, "text/plain"],
  ["/stats?filter=uptime", 200, /^server\.uptime: 7\n$/, "text/plain"],
  ["/stats?filter=^nothing$", 200, /^$/, "text/plain"],
  ["/stats?filter=(", 400, /cannot be used: Invalid regular expression/, "text/plain"],
  ["/stats?filter=(.*)*(.*)*(.*)*(.*)*x$", 400, /timed out/, "text/plain"],
  ["/stats?format=json", 200, /"name": "server\.uptime"/, "application/json"],
  ["/stats?format=prometheus", 200, /sallyport_server_uptime 7/, "text/plain; version=0.0.4"],
  ["/stats?format=xml", 400, /text, json or prometheus/, "text/plain"],
  ["/metrics", 200, /sallyport_server_uptime 7/, "text/plain; version=0.0.4"],
  ["/config_dump", 200, /"mode": "audit"/, "application/json"],
  ["/overview", 200, /"version": 2/, "application/json"],
  ["/destinations", 200, /evil\.example +443 +nearest shop\/api .*\nand 4 more/, "text/plain"],
  ["/destinations?format=json", 200, /"destinations": \[\s+\{\s+"id": 7/, "application/json"],
  ["/decisions", 200, /allowed\.rule +evil\.example/, "text/plain"],
  ["/decisions?format=json", 200, /"connection": 1/, "application/json"],
  ["/decisions?format=json&destination=8", 200, /"decisions": \[\]/, "application/json"],
  ["/explain?destination=7", 200, /nearest rule: shop\/api: .*\n.*\n\nkind: E/, "text/plain"],
  ["/explain?destination=7&format=json", 200, /"manifest": "kind/, "application/json"],
  ["/explain", 404, /no refused destination/, "text/plain"],
  ["/explain?destination=seven", 404, /no refused destination/, "text/plain"],
  ["/connections", 200, /^id +destination/, "text/plain"],
  ["/connections?format=json", 200, /^\[\]/, "application/json"],
  ["/ready", 200, /^ready\n$/, "text/plain"],
  ["/nothing", 404, /there is \/ \/overview/, "text/plain"],
  ["/constructor", 404, /nothing here/, "text/plain"],
  ["//", 404, /nothing here/, "text/plain"],
] as const)
  test(`GET ${path} is ${status}`, async () => {
    const asked = await ask(path);
    assert.equal(asked.status, status);
    assert.match(asked.body, body);
    assert.equal(asked.type, type);
  });

test("HEAD is GET without a body; nothing else is answered", async () => {
  assert.deepEqual(await ask("/ready", { method: "HEAD" }), {
    status: 200,
    body: "",
    type: "text/plain",
  });
  for (const method of ["POST", "PUT", "DELETE"])
    assert.equal((await ask("/ready", { method })).status, 405);
});

test("a name other than loopback's is turned away: a browser's page could have brought it", async () => {
  assert.equal((await ask("/stats", { host: "evil.example" })).status, 403);
  assert.equal((await ask("/stats", { host: "localhost:15000" })).status, 200);
});

test("not ready says why, and a policy that could not be used is told beside ready", async () => {
  const starting = await ask("/ready", { of: { ...insight, notReady: () => "draining" } });
  assert.deepEqual([starting.status, starting.body], [503, "not ready: draining\n"]);
  const warned = await ask("/ready", { of: { ...insight, warning: () => "policy.json: no" } });
  assert.deepEqual([warned.status, warned.body], [200, "ready\nwarning: policy.json: no\n"]);
});

test("on the pod's address, which other pods reach, the policy's problem is not told", async () => {
  const of = { ...insight, warning: () => "policy.json: rules[0] host secret.internal" };
  const asked = await ask("/ready", { of, routes: readyRoutes });
  assert.equal(asked.status, 200);
  assert.match(asked.body, /^ready\nwarning: /);
  assert.doesNotMatch(asked.body, /secret/);
});
