import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DnsServer } from "@sallyport/cli/lab/dns-server";
import { createAuthority } from "@sallyport/controller/certificates";
import { ControlServer, snapshotLine, until } from "../support/control-server.ts";
import { loopbackServer } from "../support/loopback-server.ts";
import { DeliveryBed } from "./bed.ts";

const FIRST = snapshotLine("r1", { mode: "enforce" });
const answer = (status: string, text: string, more = "") =>
  `HTTP/1.1 ${status}\r\n${more}content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`;

test("an authority that is not the controllers' is told nothing, not even the token", async (t) => {
  const server = await ControlServer.start({
    authority: await createAuthority(Date.now(), "other"),
  });
  const other = await createAuthority(Date.now(), "the controllers'");
  const bed = await DeliveryBed.open(t, { server, control: { ca: other.certificate } });
  await until(() => bed.delivered.figures.failures >= 2, "two attempts");
  assert.equal(server.attempts, 0);
  assert.equal(bed.told(/certificate of localhost .* is not one of the controllers'/), 1);
  assert.equal(bed.logged.length, 1, "once, however often");
});

test("a certificate of the controllers' for another name is not believed", async (t) => {
  const server = await ControlServer.start({ name: "other.example" });
  const bed = await DeliveryBed.open(t, { server });
  await until(() => bed.delivered.figures.failures >= 1, "an attempt");
  assert.equal(server.attempts, 0);
  assert.equal(bed.told(/is not one of the controllers'.*other\.example/), 1);
});

for (const [status, words] of [
  ["401 Unauthorized", "the token has expired"],
  ["403 Forbidden", "the pod has no sidecar"],
  ["503 Service Unavailable", "the rules are not known yet"],
] as const)
  test(`a refusal is told once, in the controller's words, and again when it is another: ${status}`, async (t) => {
    const server = await ControlServer.start();
    server.refuse = (attempt) =>
      attempt < 4
        ? answer(status, words)
        : attempt === 4
          ? answer(status, "now another")
          : undefined;
    const bed = await DeliveryBed.open(t, { server });
    (await server.stream()).say(FIRST);
    await until(() => bed.applied === 1, "the policy");
    const of = status.slice(0, 3);
    assert.deepEqual(
      bed.logged.filter(({ level }) => level === "warn").map(({ message }) => message),
      [words, "now another"].map(
        (said) => `no stream of policy: the controller refuses the stream (${of}): ${said}`,
      ),
    );
  });

test("a server that says when to come again is not asked before", async (t) => {
  const server = await ControlServer.start();
  const asked: number[] = [];
  server.refuse = () => {
    asked.push(performance.now());
    return asked.length < 2 ? answer("503 Later", "", "retry-after: 2\r\n") : undefined;
  };
  await DeliveryBed.open(t, { server });
  await server.stream();
  assert.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 1_990);
});

test("after an end in order it comes back at once, and says what the controller said", async (t) => {
  const bed = await DeliveryBed.open(t, { limits: { goodMs: 0 } });
  const stream = await bed.server.stream();
  stream.say(FIRST);
  await stream.line("applied");
  stream.say({ type: "end", why: "this controller is about to end" });
  stream.end();
  await bed.server.stream(1);
  assert.equal(bed.told(/ends the stream: this controller is about to end/), 1);
  assert.equal(bed.delivered.figures.failures, 0);
});

test("without its token the sidecar asks nobody; once there is one, it does", async (t) => {
  const bed = await DeliveryBed.open(t, { token: null });
  await until(() => bed.told(/cannot read the pod's token in .*: ENOENT/) === 1, "the log");
  bed.giveToken("two words");
  await until(() => bed.told(/holds no token/) === 1, "the log");
  assert.equal(bed.server.attempts, 0);
  bed.giveToken("a.token");
  await bed.server.stream();
});

test("what answers and is no controller is told for what it is", async (t) => {
  for (const [say, why] of [
    ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", /refuses the stream \(200\): hi/],
    ["SSH-2.0-OpenSSH_9\r\n\r\n", /does not speak HTTP\/1\.1/],
    [
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
      /refuses the stream \(101\)/,
    ],
    [`HTTP/1.1 200 OK\r\nx: ${"x".repeat(20_000)}`, /does not speak HTTP\/1\.1/],
  ] as const) {
    const server = await ControlServer.start();
    server.refuse = () => say;
    const bed = await DeliveryBed.open(t, { server, limits: { answerMs: 1_000 } });
    await until(() => bed.told(why) === 1, String(why));
    await bed.delivered.close();
  }
});

test("a port that accepts and is silent is given up, and one that ends without an answer is told", async (t) => {
  const mute = await loopbackServer(() => {});
  t.after(() => mute.close());
  const bed = await DeliveryBed.open(t, {
    control: { port: mute.port, host: "127.0.0.1" },
    limits: { handshakeMs: 300 },
  });
  await until(() => bed.told(/did not finish the TLS handshake within 300 ms/) === 1, "the log");
  const server = await ControlServer.start();
  server.refuse = () => "";
  const ended = await DeliveryBed.open(t, { server });
  await until(() => ended.told(/ended the connection/) === 1, "the log");
});

test("the controllers' name is asked of the resolvers given, and of nobody else", async (t) => {
  const name = "sallyport.sallyport-system.svc.cluster.local";
  const dns = await DnsServer.listen("127.0.53.7", 0, { [name]: { code: "SERVFAIL" } });
  t.after(() => dns.close());
  const server = await ControlServer.start({ name });
  const bed = await DeliveryBed.open(t, {
    server,
    control: { host: name },
    policy: { resolvers: [`${dns.address}:${dns.port}`] },
  });
  await until(
    () => bed.told(/cannot be resolved by 127\.0\.53\.7:\d+: the resolvers/) === 1,
    "the log",
  );
  dns.set(name, { A: ["127.0.0.1"] });
  (await server.stream()).say(FIRST);
  await until(() => bed.applied === 1, "the policy");
});

test("a sidecar that ends while it connects, or waits, ends at once", async (t) => {
  const mute = await loopbackServer(() => {});
  t.after(() => mute.close());
  const bed = await DeliveryBed.open(t, {
    control: { port: mute.port, host: "127.0.0.1" },
    limits: { connectMs: 60_000, handshakeMs: 60_000 },
  });
  await sleep(300);
  const startedMs = performance.now();
  await bed.delivered.close();
  assert.ok(performance.now() - startedMs < 20_000);
});
