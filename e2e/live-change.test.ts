import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Held } from "./support/caller.ts";
import { EgressPod, HOSTILE, OTHER, type Policy, REAL, RESOLVER } from "./support/egress-pod.ts";
import { fetched } from "./support/fetched.ts";
import { smallHello } from "./support/hellos.ts";
import { told } from "./support/told.ts";

/** The policy changes while connections are open: each is judged again, by what it is, and the others go on. */
const tls = [{ port: 443, protocol: "tls" as const }];
const postgres = [{ port: 5_432, protocol: "tcp" as const }];
const opaque = [{ port: 9_000, protocol: "tcp" as const }];
const rules = {
  web: [{ hosts: ["*.example.com"], ports: tls }],
  api: [{ hosts: ["api.example.org"], ports: tls }],
  database: [{ hosts: ["db.example.net"], ports: postgres }],
  range: [{ cidrs: [`${OTHER}/32`], ports: opaque }],
};

const ZONE = {
  "*.example.com": { A: [REAL] },
  "api.example.org": { A: [REAL, OTHER] },
  "db.example.net": { A: [REAL] },
  "new.example.edu": { A: [REAL] },
};

const bed = await EgressPod.open(
  { after },
  {
    policy: { rules },
    zone: ZONE,
    listening: { plain: [5_432, 9_000] },
  },
);
const CALLS = {
  web: { address: HOSTILE, port: 443, tls: "www.example.com" },
  other: { address: HOSTILE, port: 443, tls: "other.example.com" },
  api: { address: REAL, port: 443, tls: "api.example.org" },
  database: { address: REAL, port: 5_432 },
  range: { address: OTHER, port: 9_000 },
} as const;
type Name = keyof typeof CALLS;
const NAMES = Object.keys(CALLS) as Name[];
/** More than this nothing here takes that happens at all. */
const PATIENCE_MS = 3_000;

interface Open extends Held {
  readonly name: Name;
}

/** One connection under each rule, or none. */
async function openAll(): Promise<readonly Open[]> {
  const held = await Promise.all(
    NAMES.map(async (name) => ({ name, ...(await bed.app.hold(CALLS[name])) })),
  );
  for (const { name, greeting } of held) assert.equal(greeting.how, "enough", name);
  return held;
}

/** Puts a policy in force that resets these and records them as revoked; all others are heard to go on. */
async function cuts(
  held: readonly Open[],
  policy: Policy,
  ...cut: Name[]
): Promise<readonly DecisionRecord[]> {
  const seen = bed.records.length;
  await bed.apply(policy);
  for (const { name, ended, say } of held)
    if (cut.includes(name)) {
      const { how } = await Promise.race([ended, sleep(PATIENCE_MS, { how: "open" })]);
      assert.equal(how, "ECONNRESET", name);
    } else {
      assert.equal((await say(Buffer.from("still here\n"))).text, "still here\n", name);
    }
  await bed.app.hangUp();
  await bed.until(() => bed.records.length >= seen + held.length, "their records");
  const revoked = bed.records.slice(seen).filter(({ reason }) => reason === "revoked");
  assert.equal(revoked.length, cut.length);
  return revoked;
}

async function from(policy: Policy, to: Policy, ...cut: Name[]): Promise<void> {
  await bed.apply(policy);
  await cuts(await openAll(), to, ...cut);
}

describe("a newer policy cuts what it refuses, and nothing else", () => {
  test("a rule is removed", async () => {
    const { web: _, ...rest } = rules;
    for (const { rule, closed_how, closed_by, dialled_address } of await cuts(
      await openAll(),
      { rules: rest },
      ...(["web", "other"] as const),
    ))
      assert.deepEqual(
        [rule, closed_how, closed_by, dialled_address],
        ["shop/web", "revoked", "sidecar", REAL],
      );
  });
  test("a wildcard becomes a name", () =>
    from(
      { rules },
      { rules: { ...rules, web: [{ hosts: ["www.example.com"], ports: tls }] } },
      "other",
    ));
  test("a rule is put in place of another that says the same: nothing is cut", () => {
    const { web, ...rest } = rules;
    return from({ rules }, { rules: { ...rest, renamed: web } });
  });
  test("a name is permitted at another address than the one that was dialled", () =>
    from(
      { rules },
      {
        rules: {
          ...rules,
          api: [
            { ...rules.api[0], cidrs: [`${OTHER}/32`], ports: tls, hosts: ["api.example.org"] },
          ],
        },
      },
      "api",
    ));
  test("a boundary denies a range, and names: that of a server name, and that of an address", () =>
    from(
      { rules },
      {
        rules,
        boundaries: {
          platform: {
            deny: [
              { cidrs: [`${OTHER}/32`], ports: opaque },
              { hosts: ["other.example.com"], ports: tls },
              { hosts: ["db.example.net"], ports: postgres },
            ],
          },
        },
      },
      ...(["other", "database", "range"] as const),
    ));
  test("a boundary sets a ceiling", () =>
    from(
      { rules },
      {
        rules,
        boundaries: {
          platform: {
            allow: [
              { hosts: ["*.example.com"], ports: tls },
              { cidrs: ["0.0.0.0/0"], ports: opaque },
            ],
          },
        },
      },
      ...(["api", "database"] as const),
    ));
  test("to audit mode: nothing is cut; and back: what audit mode let pass", async () => {
    await from({ rules }, { mode: "audit" });
    // In audit mode the app's own address is dialled, so that a lying one is what enforce mode cuts.
    await cuts(await openAll(), { rules }, "web", "other");
  });
  test("while the resolvers are changed, and do not answer: nothing is cut", async () => {
    await bed.apply({ rules });
    const held = await openAll();
    await bed.dns.set(
      Object.fromEntries(Object.keys(ZONE).map((name) => [name, { code: "SERVFAIL" as const }])),
    );
    await cuts(held, { rules, resolvers: [`${RESOLVER}:53`] });
    await bed.dns.set(ZONE);
  });
});

test("a rule that is added opens at once, and one that is removed closes at once", async () => {
  const call = { address: HOSTILE, port: 443, tls: "new.example.edu" };
  const added = { ...rules, added: [{ hosts: ["new.example.edu"], ports: tls }] };
  for (const [policy, expected] of [
    [{ rules }, "alert 49"],
    [{ rules: added }, `${REAL} new.example.edu`],
    [{ rules }, "alert 49"],
  ] as const) {
    await bed.apply(policy);
    assert.equal(told((await bed.attempt(call)).heard), expected);
  }
});

test("a connection that has not spoken yet is judged by the policy in force when it does", async () => {
  await bed.apply({ rules });
  const silent = await bed.app.hold({ address: HOSTILE, port: 443, enough: 0 });
  await bed.apply({ rules: {} });
  assert.equal(told(await silent.say(await smallHello("www.example.com"))), "alert 49");
});

describe("a file that cannot be used changes nothing, and is reported", () => {
  const invalid = JSON.stringify({
    policy: { mode: "enforce", rules: [{ kind: "EgressRule", spec: { to: [{ hosts: ["*"] }] } }] },
  });
  for (const [what, text, problem] of [
    ["half of one", '{"policy": {', /is not JSON/],
    ["empty", "", /is not JSON/],
    ["one with mistakes in a rule", invalid, /policy\.rules\[0\]\.spec\.to\[0\]/],
    ["one with a key that there is not", '{"policy": {}, "polcy": {}}', /polcy/],
  ] as const)
    test(what, async () => {
      await bed.apply({ rules });
      const held = await bed.app.hold(CALLS.web);
      const [before, version] = [
        await bed.stat("snapshot.rejected"),
        await bed.stat("snapshot.version"),
      ];
      const logged = bed.sidecar.log.length;
      bed.write(text);
      await bed.until(
        async () => (await bed.stat("snapshot.rejected")) === before + 1,
        "its being rejected",
      );
      assert.equal(await bed.stat("snapshot.version"), version);
      assert.match(await bed.sidecar.admin("/ready"), /^ready\nwarning: /);
      assert.match(await bed.sidecar.admin("/ready"), problem);
      assert.match(bed.sidecar.log.slice(logged), problem);
      assert.equal((await held.say(Buffer.from("still here\n"))).text, "still here\n");
      assert.equal(told((await bed.attempt(CALLS.other)).heard), `${REAL} other.example.com`);
      assert.equal(
        told((await bed.attempt({ ...CALLS.other, tls: "new.example.edu" })).heard),
        "alert 49",
      );
      await bed.app.hangUp();
      // Other pods can ask whether it is ready: of the policy they learn nothing.
      const { body } = await fetched(bed.sidecar.world, "http://10.20.0.2:15021/ready");
      assert.equal(body, "ready\nwarning: the newest policy cannot be used; port 15000 says why\n");
    });
  test("until there is one that can", async () => {
    await bed.apply({ rules: { ...rules, added: [{ hosts: ["new.example.edu"], ports: tls }] } });
    assert.equal(await bed.sidecar.admin("/ready"), "ready\n");
  });
});
