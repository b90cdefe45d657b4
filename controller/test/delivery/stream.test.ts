import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { compiled, layBed, podNamed, statusOf } from "./bed.ts";

const revisions = (lines: readonly object[]) =>
  lines.flatMap((line) => ("revision" in line ? [line.revision] : []));

test("a sidecar is given its snapshot, and the next one when it has changed; what it says of them is known", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const client = await bed.ask(bed.tokenOf(pod));
  assert.equal(client.head?.status, 101);
  const first = await client.hello();
  assert.deepEqual(
    [first.type, first.revision, first.snapshot],
    ["snapshot", "a", { mode: "enforce", revision: "a", padding: "" }],
  );
  await client.applied("a");
  bed.snapshots.write([pod], { compiled: compiled("b", 2) });
  await client.applied("b");
  bed.snapshots.write([pod], { compiled: compiled("c", 3) });
  await client.next(({ type }) => type === "snapshot", 2);
  client.say({ type: "rejected", revision: "c", problem: "mode: not known" });
  const seen = () =>
    [...bed.server.fleet.connected()].map((each) => ({
      pod: each.pod,
      sent: each.sent?.revision,
      applied: each.applied?.revision,
      problem: each.problem,
      version: each.version,
    }));
  while (seen()[0]?.problem === undefined) await delay(10);
  assert.deepEqual(seen(), [
    { pod, sent: "c", applied: "b", problem: "mode: not known", version: "0.1.0" },
  ]);
});

test("a policy that is longer than a sidecar takes is not sent, and that is known; the next one is", async () => {
  await using bed = await layBed({ snapshotBytes: 1_000 });
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const client = await bed.ask(bed.tokenOf(pod));
  await client.hello();
  await client.applied("a");
  bed.snapshots.write([pod], { compiled: compiled("long", 2, 1_000) });
  const seen = () => [...bed.server.fleet.connected()][0];
  while (seen()?.problem === undefined) await delay(10);
  assert.match(
    seen()?.problem ?? "",
    /^its policy is 1\d\d\d bytes long, and a sidecar takes 1000/,
  );
  assert.equal(seen()?.applied?.revision, "a");
  bed.snapshots.write([pod], { compiled: compiled("b", 3) });
  await client.applied("b");
  while (seen()?.problem !== undefined) await delay(10);
  assert.equal(seen()?.applied?.revision, "b");
});

test("a sidecar that has what it would be sent is told so, and gets no snapshot", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 7) });
  const client = await bed.ask(bed.tokenOf(pod));
  const line = await client.hello({ revision: "a", basis: { egressrules: "5" } });
  assert.deepEqual(line, { type: "current", revision: "a", basis: { egressrules: "7" } });
  assert.equal([...bed.server.fleet.connected()][0]?.applied?.revision, "a");
});

test("a controller that is behind what a sidecar has asks the API server before it sends anything", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("old", 3) });
  let asked: unknown;
  bed.snapshots.onCatchUp = async (_pod, basis) => {
    asked = basis;
    if (basis) bed.snapshots.write([pod], { compiled: compiled("new", 9) });
    return { rewound: false };
  };
  const client = await bed.ask(bed.tokenOf(pod));
  const line = await client.hello({ revision: "mine", basis: { egressrules: "8" } });
  assert.deepEqual(asked, { egressrules: "8" });
  assert.deepEqual(revisions([line]), ["new"]);
  assert.equal("rewound" in line, false);
});

test("while a controller cannot catch up it sends nothing older, and the newest as soon as it can", async () => {
  await using bed = await layBed({ againMs: 100, behindMs: 100 });
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("old", 3) });
  let asked = 0;
  bed.snapshots.onCatchUp = async () => {
    if (++asked < 4) throw new Error("connect ECONNREFUSED");
    return { rewound: false };
  };
  const client = await bed.ask(bed.tokenOf(pod));
  client.say({
    ...{ type: "hello", version: "1", schemas: [1] },
    have: { revision: "mine", basis: { egressrules: "8" } },
  });
  while (asked < 6) await delay(20);
  assert.deepEqual(revisions(client.lines), []);
  bed.snapshots.write([pod], { compiled: compiled("new", 9) });
  await client.applied("new");
  assert.deepEqual(revisions(client.lines), ["new"]);
});

test("where the API server itself has gone back the snapshot says so, even if its content is the same", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 3) });
  bed.snapshots.onCatchUp = async () => ({ rewound: true });
  const client = await bed.ask(bed.tokenOf(pod));
  const line = await client.hello({ revision: "a", basis: { egressrules: "8" } });
  assert.deepEqual([line.type, line.rewound, line.basis], ["snapshot", true, { egressrules: "3" }]);
});

test("a pod that says again and again to have what nobody knows of has it looked for once; others are not kept waiting", async () => {
  await using bed = await layBed();
  const [liar, other] = [podNamed("liar"), podNamed("other")];
  bed.snapshots.write([liar, other], { compiled: compiled("a", 3) });
  let asked = 0;
  bed.snapshots.onCatchUp = async (_pod, basis) => {
    asked++;
    return { rewound: Number(basis?.egressrules) > 3 };
  };
  const bold = { revision: "mine", basis: { egressrules: "99999999999999999999" } };
  const first = await bed.ask(bed.tokenOf(liar));
  assert.equal((await first.hello(bold)).rewound, true);
  for (let i = 0; i < 5; i++) {
    const again = await bed.ask(bed.tokenOf(liar));
    again.say({ type: "hello", version: "1", schemas: [1], have: bold });
    await first.until(() => first.ended);
  }
  const honest = await bed.ask(bed.tokenOf(other));
  assert.equal((await honest.hello({ revision: "x", basis: { egressrules: "8" } })).rewound, true);
  assert.equal(asked, 2);
  const repentant = await bed.ask(bed.tokenOf(liar));
  assert.equal(
    (await repentant.hello({ revision: "a", basis: { egressrules: "3" } })).type,
    "current",
  );
});

test("where nothing may be sent, a sidecar that has something keeps it, and one that has nothing gets what is closed", async () => {
  await using bed = await layBed();
  const [fresh, running] = [podNamed("fresh"), podNamed("running")];
  bed.snapshots.write([fresh, running], { why: "poison", closed: compiled("closed", 4) });
  const [a, b] = [await bed.ask(bed.tokenOf(fresh)), await bed.ask(bed.tokenOf(running))];
  b.say({
    ...{ type: "hello", version: "1", schemas: [1] },
    have: { revision: "mine", basis: { egressrules: "2" } },
  });
  assert.deepEqual(revisions([await a.hello()]), ["closed"]);
  a.say({ type: "applied", revision: "closed" });
  bed.snapshots.write([fresh, running], { compiled: compiled("good", 5) });
  await Promise.all([a.applied("good"), b.applied("good")]);
  assert.deepEqual([revisions(a.lines), revisions(b.lines)], [["closed", "good"], ["good"]]);
});

test("a sidecar that was given what is closed is given the next of it, too: what another boundary denies there counts", async () => {
  await using bed = await layBed();
  const pod = podNamed("fresh");
  bed.snapshots.write([pod], { why: "poison", closed: compiled("closed", 4) });
  const first = await bed.ask(bed.tokenOf(pod));
  await first.hello();
  await first.applied("closed");
  bed.snapshots.write([pod], { why: "poison", closed: compiled("denied, too", 5) });
  await first.applied("denied, too");
  const again = await bed.ask(bed.tokenOf(pod));
  const line = await again.hello({ revision: "denied, too", basis: { egressrules: "5" } });
  assert.equal(line.type, "current", "and after a restart it is known for what it is");
  bed.snapshots.write([pod], { why: "poison", closed: compiled("and more", 6) });
  await again.applied("and more");
});

test("changes that come while a snapshot is unanswered cost one snapshot, the newest", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("r0", 0) });
  const client = await bed.ask(bed.tokenOf(pod));
  await client.hello();
  for (let i = 1; i <= 100; i++) bed.snapshots.write([pod], { compiled: compiled(`r${i}`, i) });
  await client.applied("r0");
  await client.applied("r100");
  assert.deepEqual(revisions(client.lines), ["r0", "r100"]);
});

test("a sidecar that never reads is cut, and until then fifty others get every change", async () => {
  await using bed = await layBed({ stalledMs: 8_000, answerMs: 600_000, helloMs: 60_000 });
  const pods = Array.from({ length: 51 }, (_, i) => podNamed(`web-${i}`));
  const [stuck, ...others] = pods;
  if (!stuck) throw new Error("no pod");
  bed.snapshots.write(pods, { compiled: compiled("large", 0, 24 << 20) });
  const deaf = await bed.ask(bed.tokenOf(stuck));
  deaf.socket.pause();
  deaf.say({ type: "hello", version: "1", schemas: [1] });
  const clients = await Promise.all(others.map((pod) => bed.ask(bed.tokenOf(pod))));
  bed.snapshots.write(others, { compiled: compiled("r1", 1, 256 << 10) });
  await Promise.all(clients.map((client) => client.hello().then(() => client.applied("r1"))));
  for (const revision of ["r2", "r3", "r4"]) {
    bed.snapshots.write(pods, { compiled: compiled(revision, Number(revision[1]), 256 << 10) });
    await Promise.all(clients.map((client) => client.applied(revision)));
  }
  while ([...bed.server.fleet.connected()].length > 50) await delay(50);
  assert.match(bed.server.metrics().join("\n"), /streams_ended_total\{why="slow"\} 1/);
});

for (const [what, limits, why] of [
  ["what became of its snapshot", { answerMs: 500 }, /what became of its snapshot/],
  ["anything at all", { silentMs: 3_000 }, /said nothing for too long/],
] as const) {
  test(`a sidecar that does not say ${what} is cut`, async () => {
    await using bed = await layBed(limits);
    const pod = podNamed("mute");
    bed.snapshots.write([pod], { compiled: compiled("a", 1) });
    const client = await bed.ask(bed.tokenOf(pod));
    await client.hello();
    await client.until(() => client.ended);
    assert.match(JSON.stringify(client.lines.at(-1)), why);
  });
}

for (const [what, said, problem] of [
  ["no JSON", "{]\n", /JSON/],
  ["a line of no kind", '{"revision":"a"}\n', /type/],
  ["a line that lacks what its kind has", '{"type":"applied"}\n', /revision/],
  ["hello twice", '{"type":"hello","version":"1","schemas":[1]}\n', /once/],
  ["a line that is too long", "x".repeat(300 << 10), /more than 262144 bytes/],
] as const) {
  test(`${what} ends that stream, with a last line that says why, and a line in the log`, async () => {
    await using bed = await layBed();
    const pod = podNamed("web");
    bed.snapshots.write([pod], { compiled: compiled("a", 1) });
    const client = await bed.ask(bed.tokenOf(pod));
    await client.hello();
    client.socket.write(said);
    await client.until(() => client.ended);
    const last = client.lines.at(-1);
    assert.equal(last?.type, "end");
    assert.match(JSON.stringify(last), problem);
    assert.deepEqual(
      bed.logged.filter(({ level }) => level === "warn").map(({ message }) => message),
      ["a stream is ended: malformed"],
    );
  });
}

test("a kind of line that only a newer sidecar knows is passed over", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const client = await bed.ask(bed.tokenOf(pod));
  await client.hello();
  client.socket.write('{"type":"weather","degrees":20}\n');
  await client.applied("a");
  bed.snapshots.write([pod], { compiled: compiled("b", 2) });
  await client.applied("b");
  assert.equal(client.ended, false);
});

test("a sidecar that knows no schema of this controller's is told both, and which to update", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const client = await bed.ask(bed.tokenOf(pod));
  client.say({ type: "hello", version: "9", schemas: [7, 8] });
  await client.until(() => client.ended);
  assert.match(JSON.stringify(client.lines), /schemas 7, 8.*compiles to 1: update the older/);
});

test("the newest stream of a pod replaces the older one", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const first = await bed.ask(bed.tokenOf(pod));
  await first.hello();
  const second = await bed.ask(bed.tokenOf(pod));
  await second.hello();
  await first.until(() => first.ended);
  assert.match(JSON.stringify(first.lines.at(-1)), /another stream/);
  bed.snapshots.write([pod], { compiled: compiled("b", 2) });
  await second.applied("a");
  await second.applied("b");
});

test("reports reach those who listen; who says more than its share is read later, and loses nothing", async () => {
  await using bed = await layBed({ bytesPerSecond: 1 << 20, burstBytes: 64 << 10 });
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  let refused = 0;
  bed.server.fleet.listen({
    reported: () => {
      throw new Error("a listener's mistake costs nobody else anything");
    },
  });
  bed.server.fleet.listen({
    reported: (_pod, rows) =>
      rows.forEach(({ count }) => {
        refused += count;
      }),
  });
  const client = await bed.ask(bed.tokenOf(pod));
  await client.hello();
  const row = {
    verdict: "deny",
    reason: "denied.no_rule",
    port: 443,
    count: 1,
    last: "2026-01-01T00:00:00Z",
  } as const;
  const rows = Array.from({ length: 200 }, (_, i) => ({
    ...row,
    name: `${"x".repeat(60)}${i}.example`,
  }));
  const began = performance.now();
  for (let i = 0; i < 40; i++)
    client.say({ type: "report", rows, others: { allowed: 0, refused: 0 } });
  while (refused < 8_000) await delay(20);
  assert.ok(performance.now() - began > 500, "1.2 MB at 1 MB a second");
});

test("an open stream's token is reviewed again, the newest that it has sent: what is accepted no more ends it", async () => {
  await using bed = await layBed();
  const pod = podNamed("web");
  bed.snapshots.write([pod], { compiled: compiled("a", 1) });
  const claims = Buffer.from(JSON.stringify({ iat: 1_000, exp: 1_005 })).toString("base64url");
  const [token, newer] = [`h.${claims}.one`, `h.${claims}.two`];
  bed.said.set(token, statusOf(pod));
  const client = await bed.ask(token);
  await client.hello();
  bed.said.set(token, { authenticated: false, error: "expired" });
  bed.said.set(newer, statusOf(pod));
  client.say({ type: "token", token: newer });
  const yes = () =>
    Number(/reviews_total\{result="pod"\} (\d+)/.exec(bed.server.metrics().join("\n"))?.[1]);
  while (yes() < 2 && !client.ended) await delay(20);
  assert.equal(client.ended, false, "the newer token is good");
  bed.said.set(newer, { authenticated: false, error: "the pod is gone" });
  await client.until(() => client.ended);
  assert.match(JSON.stringify(client.lines.at(-1)), /the pod is gone/);
});
