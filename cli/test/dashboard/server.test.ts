import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asking, admin, namespaceOf, openBed, overviewOf, podOf } from "./bed.ts";

const SHOP = {
  "/api/v1/pods": [podOf("shop", "web-1"), podOf("shop", "mute-1"), podOf("shop", "bare-1", false)],
  "/api/v1/namespaces": [namespaceOf("shop")],
};

for (const [what, host, status] of [
  ["localhost", "localhost:PORT", 200],
  ["localhost in capitals", "LocalHost:PORT", 200],
  ["the address", "127.0.0.1:PORT", 200],
  ["a name of elsewhere", "attacker.example:PORT", 403],
  ["a name of elsewhere that ends alike", "notlocalhost:PORT", 403],
  ["another machine's address", "10.0.0.1:PORT", 403],
  ["another port", "localhost:1", 403],
  ["no port", "localhost", 403],
  ["user information", "x@localhost:PORT", 403],
  ["a pod that runs a sidecar", "web-1.shop.localhost:PORT", 200],
  ["a pod that there is not", "web-2.shop.localhost:PORT", 404],
  ["a pod without a sidecar", "bare-1.shop.localhost:PORT", 404],
] as const)
  test(`asked under ${what}: ${status}`, async (t) => {
    const bed = await openBed(t, SHOP, { "shop/web-1": admin() });
    await bed.settled();
    const answer = await bed.ask("/", { host: host.replace("PORT", String(bed.port)) });
    assert.equal(answer.status, status);
    if (status === 403) assert.match(answer.body, /^only asked as localhost:\d+, not as/);
  });

for (const host of ["localhost", "web-1.shop.localhost"])
  test(`${host}: nothing but a GET or a HEAD without a body comes through`, async (t) => {
    const reached: string[] = [];
    const bed = await openBed(t, SHOP, {
      "shop/web-1": (request, response) => {
        // What the dashboard itself asks, it asks again and again.
        if (request.url === "/asked") reached.push(`${request.method}`);
        admin()(request, response);
      },
    });
    await bed.settled();
    const at = { host: `${host}:${bed.port}` };
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
      assert.equal((await bed.ask("/asked", { ...at, method })).status, 405, method);
    for (const more of [
      { headers: { "transfer-encoding": "chunked" }, body: "x" },
      { headers: { "content-length": "1" }, body: "x" },
    ])
      assert.equal((await bed.ask("/asked", { ...at, ...more })).status, 400);
    assert.deepEqual(reached, []);
    assert.equal((await bed.ask("/", { ...at, method: "HEAD" })).body, "");
  });

test("a pod's page is the sidecar's own, asked as loopback asks, and nothing else goes along in either direction", async (t) => {
  let asked: Asking["headers"] = {};
  const bed = await openBed(t, SHOP, {
    "shop/web-1": (request, response) => {
      if (request.url !== "/page?a=b") return admin()(request, response);
      asked = request.headers as Asking["headers"];
      response.writeHead(200, {
        "content-type": "text/html",
        "content-security-policy": "default-src 'none'; script-src 'sha256-abc'",
        "set-cookie": "a=b; Domain=localhost",
        location: "http://attacker.example/",
        "access-control-allow-origin": "*",
        "strict-transport-security": "max-age=1000",
        "service-worker-allowed": "/",
        refresh: "0; url=http://attacker.example/",
      });
      response.end("<p>its own</p>");
    },
  });
  await bed.settled();
  const answer = await bed.ask("/page?a=b", {
    host: `web-1.shop.localhost:${bed.port}`,
    headers: { accept: "text/html", cookie: "secret", authorization: "Bearer secret", origin: "x" },
  });
  assert.equal(answer.body, "<p>its own</p>");
  const { connection: _, ...told } = asked ?? {};
  assert.deepEqual(told, { accept: "text/html", host: "localhost:15000" });
  const policy = String(answer.headers["content-security-policy"]);
  assert.ok(policy.startsWith("default-src 'none'; script-src 'sha256-abc', default-src 'none';"));
  for (const name of [
    ...["set-cookie", "location", "access-control-allow-origin"],
    ...["strict-transport-security", "service-worker-allowed", "refresh"],
  ])
    assert.equal(answer.headers[name], undefined, name);
});

test("a sidecar that cannot be asked is told in words, and one that breaks off breaks off", async (t) => {
  const bed = await openBed(t, SHOP, {
    "shop/web-1": (request, response) => {
      if (request.url !== "/half") return admin()(request, response);
      response.writeHead(200, { "content-length": "1000" });
      response.write("half");
      setTimeout(() => response.destroy(), 50);
    },
  });
  await bed.settled();
  const mute = await bed.ask("/", { host: `mute-1.shop.localhost:${bed.port}` });
  assert.equal(mute.status, 502);
  assert.equal(
    mute.body,
    "pod mute-1: cannot ask its sidecar: nothing listens on port 15000 of the pod\n",
  );
  await assert.rejects(bed.ask("/half", { host: `web-1.shop.localhost:${bed.port}` }));
});

test("a workload's details are told by its id, and what is not there is not", async (t) => {
  const bed = await openBed(t, SHOP, { "shop/web-1": admin([], overviewOf()) });
  const { workloads } = await bed.settled();
  assert.deepEqual(
    workloads.map(({ id }) => id),
    ["shop/pod/bare-1", "shop/pod/mute-1", "shop/pod/web-1"],
  );
  const { status, body } = await bed.ask("/workload?id=shop%2Fpod%2Fweb-1");
  assert.equal(status, 200);
  assert.equal(JSON.parse(body).podRows[0].host, "web-1.shop.localhost");
  for (const path of ["/workload", "/workload?id=x", "/nothing", "/../etc/passwd"])
    assert.equal((await bed.ask(path)).status, 404, path);
});

test("a port that is taken is told with what to do", async (t) => {
  const { port } = await openBed(t, {});
  const { serveDashboard } = await import("@sallyport/cli/dashboard/server");
  await assert.rejects(
    serveDashboard(port, undefined as never),
    /--port \d+: cannot listen on 127\.0\.0\.1: something listens there; --port takes another/,
  );
});
