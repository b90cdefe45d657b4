import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "./support/caller.ts";
import { EgressPod, HOSTILE, HOSTILE6, OTHER, type Policy, REAL } from "./support/egress-pod.ts";
import { helloNaming, smallHello } from "./support/hellos.ts";
import { told } from "./support/told.ts";

/** Who is waited for, and for how long; and audit mode, which watches and changes nothing. The waits are the ordinary ones. */
const named = (port: number) => [
  { hosts: ["*.example.com"], ports: [{ port, protocol: "tls" as const }] },
];
const policy = {
  rules: {
    web: named(443),
    both: [...named(9_443), { cidrs: [`${OTHER}/32`], ports: [{ port: 9_443, protocol: "tcp" }] }],
    range: [{ cidrs: [`${REAL}/32`], ports: [{ port: 3_306, protocol: "tcp" }] }],
    database: [{ hosts: ["db.example.net"], ports: [{ port: 5_432, protocol: "tcp" }] }],
  },
} satisfies Policy;

const bed = await EgressPod.open(
  { after },
  {
    policy,
    zone: { "*.example.com": { A: [REAL] }, "db.example.net": { A: [REAL] } },
    listening: { plain: [3_306, 5_432, 9_443] },
  },
);

const twoNames = await helloNaming("www.example.com", "www.evil.net");

/** The shortest of a few: what is more than a wait took is the machine's. */
async function greetedAfterMs(call: Call, greeting: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { heard } = await bed.attempt(call);
    assert.equal(told(heard), greeting);
    times.push(heard.ms);
  }
  return Math.min(...times);
}

describe("a server that speaks first is heard at once where no name is asked for", () => {
  for (const [what, call] of [
    ["by a range", { address: REAL, port: 3_306 }],
    ["by a name", { address: REAL, port: 5_432 }],
    ["by a range, on a port where names count for others", { address: OTHER, port: 9_443 }],
  ] as const)
    test(what, async () => {
      assert.ok((await greetedAfterMs(call, `${call.address} -`)) < 100);
    });
});

describe("where a name decides", { concurrency: true }, () => {
  test("a client that begins after 3 s passes, and until then holds no connection to anybody", async () => {
    const name = "slow.example.com";
    const say = [await smallHello(name)];
    const address = HOSTILE6;
    const before = bed.witness.visitsAt(REAL).length;
    const slow = bed.app.call({ address, port: 443, say, silentMs: 3_000, enough: 1 });
    await sleep(1_500);
    const live: readonly { readonly destination: { readonly address: string } }[] = JSON.parse(
      await bed.sidecar.admin("/connections?format=json"),
    );
    assert.equal(live.filter(({ destination }) => destination.address === address).length, 1);
    assert.equal(bed.witness.visitsAt(REAL).length, before);
    assert.equal(told(await slow), "handshake");
    const [record] = await bed.recordsWhere((each) => each.name === name);
    assert.deepEqual([record?.reason, record?.dialled_address], ["allowed.rule", REAL]);
  });

  test("a client that has been refused already is listened to for 200 ms, to refuse it in its language", async () => {
    const { heard, record } = await bed.attempt({ address: HOSTILE, port: 444 });
    assert.deepEqual([told(heard), record.reason], ["reset", "denied.no_rule"]);
    assert.ok(heard.ms > 150 && heard.ms < 5_000, `${heard.ms} ms`);
    const late = { silentMs: 50, say: [await smallHello("www.example.com")] };
    const speak = () => bed.attempt({ address: HOSTILE, port: 445, ...late, enough: 7 });
    let spoken = await speak();
    // On a machine that stalls for as long it speaks too late.
    for (let i = 0; i < 5 && told(spoken.heard) === "reset"; i++) spoken = await speak();
    assert.deepEqual([told(spoken.heard), spoken.record.name], ["alert 49", "www.example.com"]);
  });
});

describe("audit mode refuses nothing, and says what would be", () => {
  let before = 0;
  test("is in force", async () => {
    await bed.apply({ ...policy, mode: "audit" });
    before = bed.records.length;
  });

  for (const [what, call, hears, reason, wouldBe] of [
    [
      "an allowed name at a hostile address goes where the app wanted",
      { address: HOSTILE, port: 443, tls: "www.example.com" },
      `${HOSTILE} www.example.com`,
      "allowed.rule",
      undefined,
    ],
    [
      "a name that no rule speaks of",
      { address: HOSTILE, port: 443, tls: "www.evil.net" },
      `${HOSTILE} www.evil.net`,
      "allowed.audit",
      "denied.no_rule",
    ],
    [
      "no name",
      { address: REAL, port: 443, tls: "" },
      `${REAL} -`,
      "allowed.audit",
      "denied.name_missing",
    ],
    [
      "two names, which are the server's to refuse",
      {
        address: REAL,
        port: 443,
        say: [twoNames],
        enough: 7,
      },
      "alert 50",
      "allowed.audit",
      "denied.name_invalid",
    ],
    [
      "a request where TLS is expected, which is the server's to refuse",
      { address: REAL, port: 9_443, say: [Buffer.from("GET / HTTP/1.1\r\n\r\n")] },
      `${REAL} -`,
      "allowed.audit",
      "denied.malformed",
    ],
    [
      "a port of which nobody speaks",
      { address: HOSTILE, port: 3_306 },
      `${HOSTILE} -`,
      "allowed.audit",
      "denied.no_rule",
    ],
    [
      "a database at an address that is not its own",
      { address: OTHER, port: 5_432 },
      `${OTHER} -`,
      "allowed.audit",
      "denied.stale_address",
    ],
  ] as const)
    test(what, async () => {
      const { heard, record } = await bed.attempt(call);
      assert.equal(told(heard).split("\n")[0], hears);
      assert.deepEqual(
        [record.verdict, record.reason, record.would_be, record.dialled_address],
        ["allow", reason, wouldBe, call.address],
      );
    });

  test("a silent client is held for 200 ms where a name could matter, and a server that speaks first is then heard", async () => {
    const ms = await greetedAfterMs({ address: REAL, port: 9_443 }, `${REAL} -`);
    assert.ok(ms > 150 && ms < 1_000, `${ms} ms`);
  });

  test("and not at all where none could", async () => {
    for (const port of [3_306, 5_432])
      assert.ok((await greetedAfterMs({ address: REAL, port }, `${REAL} -`)) < 100);
  });

  test("what would have been is counted, and no record since says that anything was refused", async () => {
    assert.equal(await bed.stat("egress.would_be.denied.no_rule"), 2);
    assert.equal(await bed.stat("egress.would_be.denied.name_invalid"), 1);
    const refused = bed.records.slice(before).filter(({ verdict }) => verdict === "deny");
    assert.deepEqual(refused, []);
  });
});
