import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { applyPatch, type Operation } from "rfc6902";
import type { CertificateSource } from "../src/certificate-source.ts";
import { createAuthority } from "../src/certificates.ts";
import { type Bed, NAMES, POD, responseOf, reviewOf, SERVICE, startBed } from "./server-bed.ts";

const WORKLOAD = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", annotations: { "sallyport.dev/inject": "true" } },
  spec: { template: { spec: POD.spec ?? null } },
};
const ofDeployment = { kind: { group: "apps", version: "v1", kind: "Deployment" } };
const post = (bed: Bed, path: string, review: unknown, headers = {}) =>
  bed.send(path, JSON.stringify(review), headers);

test("a pod that asks for it is given the sidecar, by a patch that applies", async () => {
  await using bed = await startBed();
  const uid = randomUUID();
  // The API server says how long it will wait.
  const answer = await post(bed, "/mutate/pods?timeout=10s", reviewOf(POD, { uid }));
  assert.equal(answer.status, 200);
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
  assert.equal(answer.headers["x-powered-by"], undefined);
  const response = responseOf(answer);
  assert.deepEqual([response.uid, response.allowed, response.patchType], [uid, true, "JSONPatch"]);
  const patched = structuredClone(POD);
  const patch = JSON.parse(Buffer.from(response.patch ?? "", "base64").toString()) as Operation[];
  assert.deepEqual(
    applyPatch(patched, patch),
    patch.map(() => null),
  );
  assert.match(JSON.stringify(patched), /"name":"sallyport-proxy"/);
});

for (const [path, asks, injected] of [
  ["/mutate/pods", undefined, false],
  ["/mutate/pods", "true", true],
  ["/mutate/pods/enabled", undefined, false],
  ["/mutate/pods/enabled", "true", true],
  ["/mutate/pods/all", undefined, true],
  ["/mutate/pods/all", "false", false],
] as const)
  test(`${path}, annotation ${asks}: ${injected ? "injected" : "left alone"}`, async () => {
    await using bed = await startBed();
    const annotations = asks === undefined ? {} : { "sallyport.dev/inject": asks };
    const pod = { ...POD, metadata: { generateName: "web-", annotations } };
    const response = responseOf(await post(bed, path, reviewOf(pod)));
    assert.ok(response.allowed);
    assert.equal(response.patch !== undefined, injected);
  });

test("what the pod webhook is not for is let through untouched", async () => {
  await using bed = await startBed();
  for (const request of [
    { operation: "UPDATE", oldObject: POD },
    { operation: "DELETE", object: null, oldObject: POD },
    { operation: "CONNECT", subResource: "exec" },
    { subResource: "ephemeralcontainers" },
    { subResource: "eviction", kind: { group: "policy", version: "v1", kind: "Eviction" } },
    ofDeployment,
  ]) {
    const response = responseOf(await post(bed, "/mutate/pods/all", reviewOf(POD, request)));
    assert.deepEqual({ ...response, uid: "" }, { uid: "", allowed: true }, JSON.stringify(request));
  }
});

test("a workload's annotation is carried", async () => {
  await using bed = await startBed();
  for (const path of ["/mutate/workloads", "/mutate/workloads/enabled", "/mutate/workloads/all"]) {
    const { allowed, patch } = responseOf(await post(bed, path, reviewOf(WORKLOAD, ofDeployment)));
    assert.ok(allowed);
    assert.match(Buffer.from(patch ?? "", "base64").toString(), /sallyport\.dev\/carried/);
  }
});

test("a pod that could walk past its sidecar is refused with 403 and the field", async () => {
  await using bed = await startBed();
  const pod = {
    ...POD,
    spec: { containers: [{ name: "a", securityContext: { privileged: true } }] },
  };
  const answer = await post(bed, "/mutate/pods", reviewOf(pod));
  const { allowed, status } = responseOf(answer);
  assert.deepEqual(
    [answer.status, allowed, status?.code, status?.reason],
    [200, false, 403, "Forbidden"],
  );
  assert.match(status?.message ?? "", /containers\[0\].*privileged/);
});

test("the final pod is judged on its own path: what is intact passes, what is not is refused, and nothing is changed", async () => {
  await using bed = await startBed();
  const made = responseOf(await post(bed, "/mutate/pods/all", reviewOf(POD)));
  const pod = structuredClone(POD);
  applyPatch(pod, JSON.parse(Buffer.from(made.patch ?? "", "base64").toString()) as Operation[]);
  for (const path of ["/validate/pods/enabled", "/validate/pods/all"]) {
    const intact = responseOf(await post(bed, path, reviewOf(pod)));
    assert.deepEqual({ ...intact, uid: "" }, { uid: "", allowed: true });
    const bare = responseOf(await post(bed, path, reviewOf(POD)));
    assert.match(bare.status?.message ?? "", /has neither sallyport-init nor sallyport-proxy/);
  }
  const debug = { name: "debug", securityContext: { privileged: true } };
  const debugged = { ...pod, spec: { ...(pod.spec as object), ephemeralContainers: [debug] } };
  const update = { operation: "UPDATE", subResource: "ephemeralcontainers", oldObject: pod };
  const refused = responseOf(await post(bed, "/validate/pods/all", reviewOf(debugged, update)));
  assert.match(
    refused.status?.message ?? "",
    /ephemeralContainers\[0\]\.securityContext\.privileged/,
  );
  for (const request of [
    { operation: "UPDATE", oldObject: pod },
    { operation: "UPDATE", oldObject: null },
    { operation: "DELETE", object: null, oldObject: pod },
    { operation: "UPDATE", subResource: "status", oldObject: pod },
    ofDeployment,
  ]) {
    const response = responseOf(await post(bed, "/validate/pods/all", reviewOf(debugged, request)));
    assert.deepEqual({ ...response, uid: "" }, { uid: "", allowed: true });
  }
});

test("a pod without its sidecar passes the final look while pods may still come past the first, and not from then on", async () => {
  let guarded = false;
  await using bed = await startBed({ finalPodsGuarded: () => guarded });
  const early = responseOf(await post(bed, "/validate/pods/all", reviewOf(POD)));
  assert.deepEqual([early.allowed, early.warnings?.length], [true, 1]);
  guarded = true;
  const late = responseOf(await post(bed, "/validate/pods/all", reviewOf(POD)));
  assert.equal(late.allowed, false);
});

test("the level that a namespace enforces is asked of whoever knows, and said of workloads, too", async () => {
  await using bed = await startBed({
    podSecurityEnforced: (namespace) => (namespace === "shop" ? "restricted" : undefined),
  });
  for (const [path, review] of [
    ["/mutate/pods/all", reviewOf(POD)],
    ["/mutate/workloads/all", reviewOf(WORKLOAD, ofDeployment)],
  ] as const) {
    const { warnings } = responseOf(await post(bed, path, review));
    assert.match(warnings?.join() ?? "", /Pod Security "restricted", which the namespace enforces/);
  }
});

const GOOD = JSON.stringify(reviewOf(POD));
for (const [what, path, body, headers, method, status, says] of [
  ["an unknown path", "/mutate/pod", GOOD, {}, "POST", 404, /nothing here/],
  ["a path in capitals", "/mutate/Pods", GOOD, {}, "POST", 404, /nothing here/],
  ["a webhook that is none", "/validate/workloads/all", GOOD, {}, "POST", 404, /\/validate\/pods/],
  ["a label that is none", "/mutate/pods/disabled", GOOD, {}, "POST", 404, /nothing here/],
  ["a GET of a webhook", "/mutate/pods", "", {}, "GET", 405, /only POST/],
  ["a PUT", "/mutate/workloads/all", GOOD, {}, "PUT", 405, /only POST/],
  ["an OPTIONS", "/mutate/pods", "", {}, "OPTIONS", 405, /only POST/],
  ["a POST to /healthz", "/healthz", "", {}, "POST", 405, /only GET, HEAD/],
  [
    "plain text",
    "/mutate/pods",
    GOOD,
    { "content-type": "text/plain" },
    "POST",
    415,
    /not "text\/plain"/,
  ],
  ["no content type", "/mutate/pods", GOOD, { "content-type": "" }, "POST", 415, /not ""/],
  [
    "another charset",
    "/mutate/pods",
    GOOD,
    { "content-type": "application/json; charset=utf-16" },
    "POST",
    415,
    /utf-16/,
  ],
  [
    "UTF-8, said",
    "/mutate/pods",
    GOOD,
    { "content-type": "application/json; charset=UTF-8" },
    "POST",
    200,
    /"allowed":true/,
  ],
  ["gzip", "/mutate/pods", GOOD, { "content-encoding": "gzip" }, "POST", 415, /compressed/],
  ["nothing", "/mutate/pods", "", {}, "POST", 400, /not JSON/],
  ["half a review", "/mutate/pods", GOOD.slice(0, 99), {}, "POST", 400, /not JSON/],
  [
    "an empty object",
    "/mutate/pods",
    "{}",
    {},
    "POST",
    400,
    /at apiVersion[\s\S]*at kind[\s\S]*at request/,
  ],
  [
    "too much",
    "/mutate/pods",
    `"${"x".repeat(4 << 20)}"`,
    {},
    "POST",
    413,
    /larger than 4194304 bytes/,
  ],
  ["headers without end", "/mutate/pods", GOOD, { "x-a": "x".repeat(20_000) }, "POST", 431, /^$/],
  ["a strange expectation", "/mutate/pods", GOOD, { expect: "tea" }, "POST", 417, /^$/],
  ["a malformed escape", "/%zz", "", {}, "GET", 404, /nothing here/],
] as const)
  test(`${what} is answered with ${status}`, async () => {
    await using bed = await startBed();
    const answer = await bed.send(path, body, headers, method);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
    assert.equal((await bed.send("/healthz", "", {}, "GET")).status, 200);
  });

test("a fault inside admission refuses the pod, lets the workload pass, and is in the log", async () => {
  const fault = () => {
    throw new Error("no chance today");
  };
  await using bed = await startBed({ draw: { random: fault, sealKey: new Uint8Array(32) } });
  const pod = await post(bed, "/mutate/pods", reviewOf(POD, { uid: "the-uid" }));
  const { uid, allowed, status, patch } = responseOf(pod);
  assert.deepEqual([pod.status, uid, allowed, patch], [200, "the-uid", false, undefined]);
  assert.match(status?.message ?? "", /fault of its own.*uid the-uid/);
  assert.match(String(bed.lines.find(({ error }) => error)?.error), /no chance today\n\s+at /);

  const workload = responseOf(
    await post(bed, "/mutate/workloads", reviewOf(WORKLOAD, ofDeployment)),
  );
  assert.equal(workload.allowed, true);
  assert.equal(workload.patch, undefined);
  assert.match(workload.warnings?.[0] ?? "", /fault of its own/);
});

test("each admission is one line in the log: whose, what and why, never what is in the object", async () => {
  await using bed = await startBed();
  const secret = { name: "KEY", value: "hunter2" };
  const pod = { ...POD, spec: { hostNetwork: true, containers: [{ name: "a", env: [secret] }] } };
  await post(bed, "/mutate/pods", reviewOf(pod, { uid: "u-1" }));
  await post(
    bed,
    "/mutate/workloads",
    reviewOf(WORKLOAD, { ...ofDeployment, uid: "u-2", name: "web" }),
  );
  await bed.send("/mutate/pods", "{}");
  const [first, second, third] = bed.lines.map(({ ms, ...line }) => line);
  assert.deepEqual(first, {
    ...{ level: "info", message: "admission", uid: "u-1", operation: "CREATE", kind: "Pod" },
    ...{ namespace: "shop", generateName: "web-", webhook: "pods", injection: "enabled" },
    ...{ verdict: "unchanged", reason: "host_network", warnings: 1 },
  });
  assert.deepEqual([second?.uid, second?.name, second?.verdict], ["u-2", "web", "changed"]);
  assert.deepEqual([third?.level, third?.message], ["warn", "not an AdmissionReview"]);
  assert.equal(bed.lines.length, 3);
  assert.doesNotMatch(JSON.stringify(bed.lines), /hunter2/);
});

test("concurrent requests are each answered with their own uid", async () => {
  await using bed = await startBed();
  const uids = Array.from({ length: 200 }, () => randomUUID());
  const answers = await Promise.all(
    uids.map((uid) => post(bed, "/mutate/pods", reviewOf(POD, { uid }))),
  );
  assert.deepEqual(
    answers.map((answer) => responseOf(answer).uid),
    uids,
  );
});

test("a connection is kept for the next request", async () => {
  await using bed = await startBed();
  for (let i = 0; i < 3; i++) await post(bed, "/mutate/pods", reviewOf(POD));
  await bed.send("/mutate/pods", "{", {}); // a mistake does not cost the connection
  await bed.send("/nowhere", "", {}, "GET");
  const sockets = Object.values(bed.agent.freeSockets).flat();
  assert.equal(sockets.length, 1);
});

const LIMITS = { handshakeMs: 30_000, headersMs: 30_000, requestMs: 30_000, checkMs: 50 };
const head = (length: number) =>
  `POST /mutate/pods HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`;

async function open(bed: Bed): Promise<TLSSocket> {
  const socket = connectTls({
    ...{ host: "127.0.0.1", port: bed.controller.port, servername: SERVICE },
    ...(bed.source.ca !== undefined && { ca: bed.source.ca }),
  });
  await once(socket, "secureConnect");
  return socket;
}

for (const [what, limits, start] of [
  [
    "never begins its handshake",
    { handshakeMs: 300 },
    async (bed: Bed) => connectTcp(bed.controller.port, "127.0.0.1"),
  ],
  ["says nothing after its handshake", { headersMs: 300 }, open],
  [
    "never ends its headers",
    { headersMs: 300 },
    async (bed: Bed) => {
      const socket = await open(bed);
      socket.write(head(9));
      return socket;
    },
  ],
  [
    "sends its body a byte at a time",
    { headersMs: 300, requestMs: 300 },
    async (bed: Bed) => {
      const socket = await open(bed);
      socket.write(`${head(1_000)}\r\n`);
      const drip = setInterval(() => socket.write(" "), 20);
      socket.once("close", () => clearInterval(drip));
      return socket;
    },
  ],
] as const)
  test(`a client that ${what} is cut, and the others are served meanwhile`, async () => {
    await using bed = await startBed({ limits: { ...LIMITS, ...limits } });
    const socket: Socket = await start(bed);
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    socket.on("error", () => {});
    // Not once(): it fails on an error, and a drip into a cut connection is one.
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const started = performance.now();
    assert.equal((await post(bed, "/mutate/pods", reviewOf(POD))).status, 200);
    await closed;
    assert.ok(
      performance.now() - started < 20_000,
      "by its own limit, not by the 30 s of the others",
    );
    assert.match(heard, /^(HTTP\/1\.1 408 .*)?/);
  });

test("/readyz says what is wrong with the certificate, /healthz does not mind", async () => {
  let now = Date.now();
  await using bed = await startBed({ now: () => now });
  const ready = () => bed.send("/readyz", "", {}, "GET");
  assert.deepEqual([(await ready()).status, (await ready()).text], [200, "ok\n"]);
  now += 366 * 86_400_000;
  assert.equal((await ready()).status, 503);
  assert.match((await ready()).text, /was valid until 20/);
  now -= 2 * 366 * 86_400_000;
  assert.match((await ready()).text, /not valid before 20/);
  assert.equal((await bed.send("/healthz", "", {}, "GET")).status, 200);
});

test("a certificate that changes under load loses no request, and new connections are given the new one", async () => {
  const authority = await createAuthority(Date.now());
  let current = await authority.issue(NAMES, Date.now());
  let renew = false;
  const source: CertificateSource = {
    get current() {
      return current;
    },
    ca: authority.certificate,
    refresh: async (now) => {
      if (!renew) return false;
      current = await authority.issue(NAMES, now);
      return true;
    },
  };
  await using bed = await startBed({ certificate: source, limits: { certificateMs: 20 } });
  const serialOf = async () => {
    const socket = await open(bed);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const kept = await open(bed);
  const before = await serialOf();
  renew = true;
  const renewals = () =>
    bed.lines.filter(({ message }) => /new certificate/.test(String(message))).length;
  let sent = 0;
  while (renewals() < 5) {
    const batch = Array.from({ length: 10 }, (_, i) =>
      // Every other one on a connection of its own.
      post(bed, "/mutate/pods", reviewOf(POD), i % 2 ? { connection: "close" } : {}),
    );
    for (const answer of await Promise.all(batch)) assert.equal(answer.status, 200);
    sent += batch.length;
  }
  assert.ok(sent >= 10);
  assert.notEqual(await serialOf(), before);
  kept.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  const [chunk] = await once(kept, "data");
  assert.match(String(chunk), /^HTTP\/1\.1 200 /);
  kept.destroy();
});

test("draining: not ready at once, still answering, the last request finished, then gone", async () => {
  await using bed = await startBed();
  assert.equal((await post(bed, "/mutate/pods", reviewOf(POD))).status, 200);
  const slow = await open(bed);
  slow.write(`${head(GOOD.length)}\r\n`);
  const drained = bed.controller.drain(1_500, 5_000);

  const ready = await bed.send("/readyz", "", {}, "GET");
  assert.deepEqual(
    [ready.status, ready.text, ready.headers.connection],
    [503, "draining\n", "close"],
  );
  assert.equal((await post(bed, "/mutate/pods", reviewOf(POD))).status, 200);

  // At the very end a connection may be reset: the kernel had accepted it, and nobody will.
  const refused = () =>
    bed.send("/healthz", "", {}, "GET").then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
    );
  while (!(await refused()));
  slow.write(GOOD);
  let heard = "";
  for await (const chunk of slow) heard += chunk;
  assert.match(heard, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*"allowed":true/i);
  await drained;
});

test("closing does not wait for ever for a client that does not finish", async () => {
  await using bed = await startBed();
  const slow = await open(bed);
  slow.on("error", () => {});
  slow.write(`${head(9)}\r\n`);
  await bed.send("/healthz", "", {}, "GET"); // the half request has been read
  await bed.controller.close(50);
});
