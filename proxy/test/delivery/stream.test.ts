import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlServer, snapshotLine, until } from "../support/control-server.ts";
import { record } from "../support/record.ts";
import { DeliveryBed } from "./bed.ts";

const FIRST = snapshotLine("r1", { mode: "enforce", cluster: { ranges: ["10.0.0.0/8"] } });
const SECOND = snapshotLine("r2", { mode: "audit" }, { rules: "12" });

/** Read anew: it changes while a test runs. */
const given = ({ policy }: DeliveryBed) => policy.given;

test("the sidecar says hello with its pod's token and what it understands, and puts into force what it is given", async (t) => {
  const bed = await DeliveryBed.open(t);
  const stream = await bed.server.stream();
  const hello = await stream.line("hello");
  assert.equal(stream.token, "a.first.token");
  assert.deepEqual([hello.schemas, hello.have], [[1], undefined]);
  assert.equal(given(bed), undefined);
  stream.say(FIRST);
  assert.equal((await stream.line("applied")).revision, "r1");
  assert.deepEqual(given(bed), {
    ...{ from: "controllers", revision: "r1", basis: FIRST.basis, snapshot: FIRST.snapshot },
  });
  stream.say(SECOND);
  await stream.line("applied", ({ revision }) => revision === "r2");
  assert.deepEqual([bed.policy.version, bed.applied, bed.policy.policy.mode], [2, 2, "audit"]);
  assert.deepEqual(bed.delivered.state.connected, true);
});

test("with the server gone the last policy stays; the sidecar comes back and says what it has", async (t) => {
  const bed = await DeliveryBed.open(t);
  (await bed.server.stream()).say(FIRST);
  await until(() => bed.applied === 1, "the policy");
  const { port } = bed.server;
  bed.server.close();
  await until(() => bed.delivered.figures.failures >= 2, "attempts in vain");
  assert.equal(given(bed)?.revision, "r1");
  assert.match(String(bed.delivered.state.problem), /cannot connect to localhost \(.*ECONNREFUSED/);
  const again = await ControlServer.start({ port });
  t.after(() => again.close());
  const stream = await again.stream();
  assert.deepEqual((await stream.line("hello")).have, { revision: "r1", basis: FIRST.basis });
  stream.say({ type: "current", revision: "r1", basis: { rules: "20" } });
  assert.equal((await stream.line("applied")).revision, "r1");
  assert.deepEqual([bed.applied, given(bed)?.basis], [1, { rules: "20" }]);
  assert.equal(bed.delivered.state.problem, undefined);
});

test("a replica that knows less than the one before changes nothing, and is told so; unless the API server was set back", async (t) => {
  const bed = await DeliveryBed.open(t);
  const stream = await bed.server.stream();
  stream.say(SECOND);
  await stream.line("applied");
  stream.say(FIRST);
  assert.match((await stream.line("rejected")).problem, /older state \(rules 10\).*\(rules 12\)/);
  assert.deepEqual([given(bed)?.revision, bed.policy.problem], ["r2", undefined]);
  stream.say({ ...FIRST, rewound: true });
  await stream.line("applied", ({ revision }) => revision === "r1");
  assert.equal(given(bed)?.revision, "r1");
});

test("a mistake of the sidecar's own with one snapshot costs neither the sidecar nor the next snapshot", async (t) => {
  const bed = await DeliveryBed.open(t, {
    inForce: ({ policy }) => {
      if (policy.given?.revision === "r1") throw new Error("names cannot be kept");
    },
  });
  const stream = await bed.server.stream();
  stream.say(FIRST);
  const { problem } = await stream.line("rejected");
  assert.match(problem, /a mistake of the sidecar's own: Error: names cannot be kept/);
  assert.match(String(bed.policy.problem), /names cannot be kept/);
  stream.say(SECOND);
  assert.equal((await stream.line("applied")).revision, "r2");
  assert.deepEqual([given(bed)?.revision, bed.policy.problem], ["r2", undefined]);
});

test("nor does it cost the sidecar its start, where the snapshot was kept", async (t) => {
  const first = await DeliveryBed.open(t);
  (await first.server.stream()).say(FIRST);
  await until(() => first.policy.given !== undefined, "the policy");
  await first.delivered.close();
  const bed = await DeliveryBed.open(t, {
    ...{ server: first.server, folder: first.folder },
    inForce: ({ policy }) => {
      if (policy.given?.from === "kept") throw new Error("names cannot be kept");
    },
  });
  assert.equal(bed.told(/the snapshot kept before is not used: .*names cannot be kept/s), 1);
  assert.ok(await bed.server.stream());
});

test("a snapshot with a key that is not known changes nothing; the controller and the log are told where", async (t) => {
  const bed = await DeliveryBed.open(t);
  const stream = await bed.server.stream();
  const poison = { ...FIRST, snapshot: { ...FIRST.snapshot, quota: { "a.b": 1 } } };
  stream.say(poison);
  assert.match((await stream.line("rejected")).problem, /Unrecognized key: "quota"/);
  assert.equal(given(bed), undefined);
  assert.match(String(bed.policy.problem), /^snapshot r1:\n.*quota/s);
  stream.say(SECOND);
  await stream.line("applied");
  stream.say({ ...poison, revision: "r3", basis: { rules: "13" } });
  await stream.line("rejected", ({ revision }) => revision === "r3");
  assert.deepEqual([given(bed)?.revision, bed.policy.rejected], ["r2", 2]);
  assert.equal(bed.told(/the policy in force stays: snapshot r3/), 1);
});

test("a restarted sidecar goes by what it had, at once, and since when it had it", async (t) => {
  const first = await DeliveryBed.open(t);
  (await first.server.stream()).say(FIRST);
  await until(() => first.applied === 1, "the policy");
  const { appliedMs } = first.policy;
  await first.delivered.close();
  const file = join(first.folder, "policy.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { folder, server } = first;
  const second = await DeliveryBed.open(t, { folder, server });
  assert.deepEqual(
    [second.applied, second.policy.given?.from, second.policy.appliedMs],
    [1, "kept", appliedMs],
  );
  assert.deepEqual(second.policy.snapshot, FIRST.snapshot);
  const stream = await server.stream(1);
  assert.deepEqual((await stream.line("hello")).have, { revision: "r1", basis: FIRST.basis });
  stream.say({ type: "current", revision: "r1", basis: { rules: "30" } });
  await stream.line("applied");
  assert.equal(second.policy.given?.from, "controllers");
  await until(() => readFileSync(file, "utf8").includes('"rules":"30"'), "the newer basis kept");
});

for (const [what, text, problem] of [
  ["half of one", '{"type":"snapshot","revision":"r1","ba', /is not JSON/],
  ["an empty file", "", /is not JSON/],
  ["another line", '{"type":"beat"}', /holds no snapshot/],
  [
    "a key that is not known",
    JSON.stringify({ ...FIRST, snapshot: { ...FIRST.snapshot, quota: 1 } }),
    /quota/,
  ],
] as const)
  test(`a kept snapshot that is damaged is told and not used: ${what}`, async (t) => {
    const bed = await DeliveryBed.open(t, {
      before: ({ folder }) => writeFileSync(join(folder, "policy.json"), text),
    });
    assert.equal(given(bed), undefined);
    assert.equal(bed.told(/the snapshot kept before is not used/), 1);
    assert.match(String(bed.logged[0]?.message), problem);
    const stream = await bed.server.stream();
    assert.equal((await stream.line("hello")).have, undefined);
    stream.say(FIRST);
    await stream.line("applied");
  });

test("a snapshot that cannot be kept is in force all the same, and that is told", async (t) => {
  const bed = await DeliveryBed.open(t, { control: { stateDir: "/proc/nowhere" } });
  (await bed.server.stream()).say(FIRST);
  await until(() => bed.told(/cannot be kept in \/proc\/nowhere\/policy\.json/) === 1, "the log");
  assert.equal(given(bed)?.revision, "r1");
});

test("a token that the kubelet has replaced is sent, and the next stream begins with it", async (t) => {
  const bed = await DeliveryBed.open(t);
  const stream = await bed.server.stream();
  await stream.line("hello");
  bed.giveToken("a.second.token");
  assert.equal((await stream.line("token")).token, "a.second.token");
  await sleep(200);
  assert.equal(stream.all("token").length, 1);
  stream.end();
  assert.equal((await bed.server.stream(1)).token, "a.second.token");
});

test("the sidecar gives up a server that says nothing, and comes again", async (t) => {
  const bed = await DeliveryBed.open(t, { limits: { silentMs: 500 } });
  await bed.server.stream();
  await bed.server.stream(1);
  assert.ok(bed.told(/has said nothing for 500 ms/) >= 1);
});

test("a server that beats is not given up, and is answered with beats", async (t) => {
  const bed = await DeliveryBed.open(t, { limits: { silentMs: 6_000, beatMs: 200 } });
  const stream = await bed.server.stream();
  const timer = setInterval(() => stream.say({ type: "beat" }), 200);
  t.after(() => clearInterval(timer));
  await until(() => stream.all("beat").length >= 10, "beats");
  await sleep(6_000);
  assert.deepEqual([bed.server.streams.length, stream.isOver], [1, false]);
});

test("what a newer controller says besides is passed over; a line that ought to be understood ends the stream", async (t) => {
  const bed = await DeliveryBed.open(t);
  const stream = await bed.server.stream();
  stream.say({ type: "greeting", text: "hello" });
  stream.say({ ...FIRST, more: true });
  await stream.line("applied");
  for (const [i, line, why] of [
    [0, "{half", /a line that is not JSON/],
    [
      1,
      JSON.stringify({ type: "snapshot", revision: "" }),
      /cannot be understood: snapshot\.revision: /,
    ],
    [2, JSON.stringify(["beat"]), /cannot be understood: Invalid/],
  ] as const) {
    (await bed.server.stream(i)).write(`${line}\n`);
    await bed.server.stream(i + 1);
    assert.equal(bed.told(why), 1, line);
  }
  assert.equal(given(bed)?.revision, "r1");
});

test("a line without an end is given up at its bound", async (t) => {
  const bed = await DeliveryBed.open(t, { limits: { controllerLineBytes: 10_000 } });
  (await bed.server.stream()).write("x".repeat(10_001));
  await until(() => bed.told(/a line of more than 10000 bytes/) === 1, "the log");
  await bed.server.stream(1);
});

test("what was decided is reported, and the reports add up to the records", async (t) => {
  const bed = await DeliveryBed.open(t);
  const add = (more: Parameters<typeof record>[0]) => bed.delivered.reports.add(record(more));
  const early = { verdict: "deny", reason: "denied.no_rule", name: "a.example" } as const;
  for (let i = 0; i < 500; i++) add(early);
  const stream = await bed.server.stream();
  for (let i = 0; i < 1_000; i++)
    add({ original_address: `10.0.${i % 250}.1`, original_port: 1_000 + (i % 3) });
  const sum = () => {
    const reports = stream.all("report");
    const rows = reports.flatMap((report) => report.rows);
    const others = reports.map(({ others }) => others.allowed + others.refused);
    return [...rows.map(({ count }) => count), ...others].reduce((a, b) => a + b, 0);
  };
  await until(() => sum() === 1_500, "all of them");
  const refused = stream
    .all("report")
    .flatMap(({ rows }) => rows)
    .filter(({ verdict }) => verdict === "deny");
  assert.deepEqual(
    refused.map(({ count, name, reason }) => [count, name, reason]),
    [[500, "a.example", "denied.no_rule"]],
  );
});

test("what is left to report is sent before the sidecar ends", async (t) => {
  const bed = await DeliveryBed.open(t, { limits: { tickMs: 60_000 } });
  const stream = await bed.server.stream();
  await stream.line("hello");
  bed.delivered.reports.add(record());
  await bed.delivered.close();
  assert.equal((await stream.line("report")).rows[0]?.count, 1);
});
