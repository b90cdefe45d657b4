import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { compiled, layBed, podNamed } from "./bed.ts";

const metric = (lines: readonly string[], name: string) =>
  Number(
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")
      .at(-1),
  );

/** Says nothing. */
const mute = (port: number, localAddress = "127.0.0.1") =>
  connect({ host: "127.0.0.1", port, localAddress }).on("error", () => {});

for (const [request, status, text] of [
  ["GET / HTTP/1.1", 404, /GET \/v1\/policy/],
  ["GET /v1/policy HTTP/1.1", 426, /Upgrade: sallyport-policy\/1/],
  ["POST /v1/policy HTTP/1.1\r\nupgrade: sallyport-policy/1\r\nconnection: upgrade", 426, /GET/],
  ["GET /v1/policy HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade", 426, /Upgrade:/],
  ["GET /v1/other HTTP/1.1\r\nupgrade: sallyport-policy/1\r\nconnection: upgrade", 404, /nothing/],
] as const) {
  test(`${request.replaceAll("\r\n", ", ")}: ${status}, and what is here`, async () => {
    await using bed = await layBed();
    const client = await bed.ask(undefined, { request });
    assert.equal(client.head?.status, status);
    assert.match(client.head?.text ?? "", text);
    await client.until(() => client.ended);
  });
}

test("a head that is too long is refused, and so is a client that says nothing", async () => {
  await using bed = await layBed({ strangerMs: 2_000 });
  const long = await bed.ask("x".repeat(40 << 10));
  assert.notEqual(long.head?.status, 101);
  await once(mute(bed.server.port).resume(), "close");
  assert.match(bed.server.metrics().join("\n"), /refused_total\{why="too_slow"\} [1-9]/);
});

test("before the rules are known a sidecar is asked to come again in a moment", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.notReady = "egressrules are being listed";
  const early = await bed.ask(bed.tokenOf(pod));
  assert.equal(early.head?.status, 503);
  assert.match(early.head?.text ?? "", /egressrules are being listed/);
  assert.match(early.head?.fields["retry-after"] ?? "", /^[12]$/);
});

test("a pod that the watch has not told of yet is looked for, and let in", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.onCatchUp = async () => {
    bed.snapshots.write([pod], { compiled: compiled("a", 1) });
    return { rewound: false };
  };
  const client = await bed.ask(bed.tokenOf(pod));
  assert.equal(client.head?.status, 101);
});

test("beyond the limit streams are refused with 503 and counted; there is room again when one goes", async () => {
  await using bed = await layBed({ streams: 3 });
  const pods = Array.from({ length: 5 }, (_, i) => podNamed(`web-${i}`));
  bed.snapshots.write(pods, { compiled: compiled("a", 1) });
  const clients = [];
  for (const pod of pods) clients.push(await bed.ask(bed.tokenOf(pod)));
  assert.deepEqual(
    clients.map(({ head }) => head?.status),
    [101, 101, 101, 503, 503],
  );
  assert.match(bed.server.metrics().join("\n"), /refused_total\{why="full"\} 2/);
  clients[0]?.socket.destroy();
  while (metric(bed.server.metrics(), "sallyport_policy_streams") > 2) await delay(20);
  const [pod] = pods;
  assert.ok(pod);
  assert.equal((await bed.ask(bed.tokenOf(pod))).head?.status, 101);
});

test("strangers are few at a time, in all and of one address, and streams that are open do not count", async () => {
  await using bed = await layBed({ strangers: 6, strangersEach: 4 });
  const pods = Array.from({ length: 8 }, (_, i) => podNamed(`web-${i}`));
  bed.snapshots.write(pods, { compiled: compiled("a", 1) });
  for (const pod of pods) assert.equal((await bed.ask(bed.tokenOf(pod))).head?.status, 101);
  const sockets: Socket[] = [];
  for (let i = 0; i < 5; i++) sockets.push(mute(bed.server.port, "127.0.0.2"));
  while (metric(bed.server.metrics(), "sallyport_policy_strangers") < 4) await delay(20);
  for (let i = 0; i < 3; i++) sockets.push(mute(bed.server.port, "127.0.0.3"));
  const count = (why: string) =>
    Number(new RegExp(`why="${why}"} (\\d+)`).exec(bed.server.metrics().join("\n"))?.[1]);
  while (count("too_many_of_address") < 1 || count("too_many_strangers") < 1) await delay(20);
  assert.equal(metric(bed.server.metrics(), "sallyport_policy_strangers"), 6);
  for (const socket of sockets) socket.destroy();
});

test("a token is asked about once while the answer counts, however often its pod comes, and a no as well", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const token = bed.tokenOf(pod);
  for (let i = 0; i < 5; i++) assert.equal((await bed.ask(token)).head?.status, 101);
  const refused = await Promise.all(Array.from({ length: 5 }, () => bed.ask("bad")));
  for (const { head } of refused) assert.equal(head?.status, 401);
  const text = bed.server.metrics().join("\n");
  assert.match(text, /token_reviews_total\{result="pod"\} 1\n/);
  assert.match(text, /token_reviews_total\{result="refused"\} 1\n/);
});

test("while it leaves, streams end one after the other, and nobody new is let in", async () => {
  await using bed = await layBed();
  const pods = Array.from({ length: 30 }, (_, i) => podNamed(`web-${i}`));
  bed.snapshots.write(pods, { compiled: compiled("a", 1) });
  const clients = await Promise.all(pods.map((pod) => bed.ask(bed.tokenOf(pod))));
  await Promise.all(clients.map((client) => client.hello()));
  const times: number[] = [];
  const told = clients.map(async (client) => {
    await client.next(({ type }) => type === "end", 0);
    times.push(performance.now());
  });
  const drained = bed.server.drain(3_000);
  const [pod] = pods;
  assert.ok(pod);
  assert.equal((await bed.ask(bed.tokenOf(pod))).head?.status, 503);
  await Promise.all(told);
  await drained;
  assert.ok(Math.max(...times) - Math.min(...times) > 1_500);
});
