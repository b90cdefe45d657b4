import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { adminRoutes, type Insight, readyRoutes } from "../src/admin/routes.ts";
import { serve } from "../src/admin/server.ts";
import { figure } from "../src/stats.ts";

const insight: Insight = {
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
  ["/connections", 200, /^id +destination/, "text/plain"],
  ["/connections?format=json", 200, /^\[\]/, "application/json"],
  ["/ready", 200, /^ready\n$/, "text/plain"],
  ["/nothing", 404, /there is \/ \/stats/, "text/plain"],
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
