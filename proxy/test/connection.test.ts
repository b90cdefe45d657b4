import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answers, Seen } from "@sallyport/core/decision";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, type PolicySourceInput, snapshotOf } from "@sallyport/core/policy-source";
import {
  decide,
  dialledOf,
  type Means,
  type OpenConnection,
  refusalOf,
} from "../src/connection.ts";

const DESTINATION = { address: "93.184.216.34", port: 443 };

function connection(more: Partial<OpenConnection> = {}): OpenConnection {
  return {
    number: 7,
    startedMs: 0,
    source: { address: "10.0.0.2", port: 40_000 },
    destination: DESTINATION,
    ...more,
  };
}

function policy(to: readonly unknown[], more: PolicySourceInput = {}): Policy {
  const rule = {
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule", metadata: { name: "web" } },
    spec: { to },
  };
  const rules = to.length > 0 ? [rule] : [];
  return new Policy(
    snapshotOf(PolicySource.parse({ mode: "enforce", resolvers: ["10.96.0.10"], rules, ...more })),
  );
}

const TLS_443 = [{ port: 443, protocol: "tls" }];
const byName = policy([{ hosts: ["*.example.com"], ports: TLS_443 }]);
const byAddress = policy([{ cidrs: ["93.184.216.0/24"], ports: [{ port: 443, protocol: "tcp" }] }]);
const byDns = policy([{ hosts: ["db.example.com"], ports: [{ port: 443, protocol: "tcp" }] }]);
const nothing = policy([]);

/** What the connection shows and what names answer, counted as they are asked for. */
class Outside implements Means {
  readonly asked: string[] = [];
  current: Policy;
  readonly #seen: Seen | undefined;
  readonly #names: Readonly<Record<string, readonly string[]>>;
  readonly answers: Answers = { addressesOf: () => undefined, namesOf: () => [] };

  constructor(
    current: Policy,
    seen?: Seen,
    names: Readonly<Record<string, readonly string[]>> = {},
  ) {
    this.current = current;
    this.#seen = seen;
    this.#names = names;
  }
  policy = () => this.current;
  look = async () => {
    this.asked.push("look");
    return this.#seen;
  };
  resolve = async (name: string) => {
    this.asked.push(name);
    const addresses = this.#names[name] ?? [];
    return addresses.length > 0 ? { addresses } : { addresses, error: "not_found" as const };
  };
  refresh = async (names: readonly string[]) => {
    this.asked.push(...names.map((name) => `${name} again`));
    this.onRefresh();
  };
  onRefresh: () => void = () => {};
}

test("what its address decides is decided at once: nothing is looked at, nothing resolved", () => {
  for (const [current, verdict] of [
    [byAddress, "allow"],
    [nothing, "deny"],
  ] as const) {
    const outside = new Outside(current);
    const decided = decide(connection(), outside);
    assert.ok(!(decided instanceof Promise));
    assert.deepEqual([decided.verdict, outside.asked], [verdict, []]);
  }
});

test("where a name decides, the first bytes are looked at and the name is resolved; its answers are dialled", async () => {
  const seen: Seen = { protocol: "tls", name: "api.example.com" };
  const outside = new Outside(byName, seen, { "api.example.com": ["93.184.216.35"] });
  const open = connection();
  const decided = await decide(open, outside);
  assert.deepEqual(outside.asked, ["look", "api.example.com"]);
  assert.deepEqual(
    [decided?.verdict, decided?.verdict === "allow" && decided.dial],
    ["allow", ["93.184.216.35"]],
  );
  assert.equal(open.seen, seen);
});

test("a name that no rule speaks of is not resolved", async () => {
  const outside = new Outside(byName, { protocol: "tls", name: "exfiltrated.data.example" });
  assert.equal((await decide(connection(), outside))?.verdict, "deny");
  assert.deepEqual(outside.asked, ["look"]);
});

test("a name without an address is a failure of DNS, told as such", async () => {
  const outside = new Outside(byName, { protocol: "tls", name: "gone.example.com" });
  assert.equal((await decide(connection(), outside))?.reason, "failed.dns");
});

test("a connection that has gone while it was looked at is decided no further", async () => {
  assert.equal(await decide(connection(), new Outside(byName)), undefined);
});

test("a policy that comes while a name is resolved is the one that decides", async () => {
  const outside = new Outside(byName, { protocol: "tls", name: "api.example.com" });
  const resolve = async () => {
    outside.current = nothing;
    return { addresses: ["93.184.216.34"] };
  };
  const { policy, answers, look, refresh } = outside;
  const decided = await decide(connection(), { policy, answers, look, refresh, resolve });
  assert.equal(decided?.reason, "denied.no_rule");
});

for (const [name, current, seen, dialled, stays] of [
  ["is still permitted by its address", byAddress, undefined, ["93.184.216.34"], true],
  ["is permitted by nothing any more", nothing, undefined, ["93.184.216.34"], false],
  [
    "is permitted by its name, shown in passing",
    byName,
    { protocol: "tls", name: "api.example.com" },
    ["93.184.216.34"],
    true,
  ],
  ["would need a name that nobody saw", byName, undefined, ["93.184.216.34"], false],
  [
    "went to an address that is no longer among those permitted",
    byName,
    { protocol: "tls", name: "api.example.com" },
    ["93.184.216.99"],
    false,
  ],
  [
    "went elsewhere than the app dialled, in audit mode",
    policy([], { mode: "audit" }),
    { protocol: "tls", name: "api.example.com" },
    ["93.184.216.99"],
    true,
  ],
] as const)
  test(`under a new policy, an open connection that ${name} ${stays ? "stays" : "goes"}`, async () => {
    const names = { "api.example.com": ["93.184.216.34"] };
    const outside = new Outside(current, undefined, names);
    const endpoints = dialled.map((address) => ({ address, port: DESTINATION.port }));
    const refusal = await refusalOf(connection({ seen }), endpoints, outside);
    assert.equal(refusal === undefined, stays);
    assert.ok(!outside.asked.includes("look"));
  });

/** The Service shop/db at DESTINATION, which leads to these addresses on port 8443. */
function leading(to: readonly unknown[], addresses: readonly string[], more: object = {}): Policy {
  const endpoints = addresses.map((address) => ({ address, port: 8_443 }));
  const service = { namespace: "shop", name: "db", addresses: [DESTINATION.address] };
  const leadingOut =
    addresses.length > 0 ? [{ ...service, ports: [{ port: 443, endpoints }] }] : [];
  return policy(to, { cluster: { ranges: ["93.184.216.34/32"], leadingOut }, ...more });
}

const [OWN, NEXT, POD] = ["45.83.64.1", "45.83.64.2", "93.184.216.34"];
const onEndpoints = (protocol: string) => [{ port: 8_443, protocol }];
const ownRule = [{ cidrs: [`${OWN}/32`], ports: onEndpoints("tcp") }];
const nameRule = [{ hosts: ["api.example.com"], ports: onEndpoints("tls") }];
const denying = (cidr: string, port: number) => ({
  boundaries: [
    {
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" },
      metadata: { name: "platform" },
      spec: { deny: [{ cidrs: [cidr], ports: [{ port, protocol: "tcp" }] }] },
    },
  ],
});
for (const [name, opened, current, seen, stays] of [
  [
    ...(["goes where its rule permits it", leading(ownRule, [OWN])] as const),
    ...([leading(ownRule, [OWN]), undefined, true] as const),
  ],
  [
    ...(["has lost its rule", leading(ownRule, [OWN])] as const),
    ...([leading([], [OWN]), undefined, false] as const),
  ],
  [
    ...(["has an endpoint that the Service has no more, and a rule for it"] as const),
    ...([leading(ownRule, [OWN]), leading(ownRule, [NEXT]), undefined, true] as const),
  ],
  [
    ...(["has an endpoint of a Service that leads nowhere outside any more"] as const),
    ...([leading(ownRule, [OWN]), leading(ownRule, []), undefined, true] as const),
  ],
  [
    ...(["has an endpoint that no rule permits, of a Service in the cluster by now"] as const),
    ...([leading(ownRule, [OWN]), leading([], []), undefined, false] as const),
  ],
  [
    ...(["has its Service's own address denied"] as const),
    leading(ownRule, [OWN]),
    leading(ownRule, [OWN], denying(`${POD}/32`, 443)),
    ...([undefined, false] as const),
  ],
  [
    ...(["has its endpoint denied, of two"] as const),
    leading(ownRule, [OWN]),
    leading(ownRule, [OWN, NEXT], denying(`${OWN}/32`, 8_443)),
    ...([undefined, false] as const),
  ],
  [
    ...([
      "was opened to a Service of the cluster that leads out now, and is permitted there",
    ] as const),
    ...([leading([], []), leading(ownRule, [OWN]), undefined, false] as const),
  ],
  [
    ...(["was opened in audit mode: nobody knows where the Service led"] as const),
    leading(ownRule, [OWN], { mode: "audit" }),
    ...([leading(ownRule, [OWN]), undefined, false] as const),
  ],
  [
    ...(["is permitted by its name"] as const),
    ...([leading(nameRule, [OWN]), leading(nameRule, [OWN])] as const),
    ...([{ protocol: "tls", name: "api.example.com" }, true] as const),
  ],
] as const)
  test(`an open connection through a Service that ${name} ${stays ? "stays" : "goes"}`, async () => {
    const names = { "api.example.com": [OWN] };
    const open = connection({ seen });
    const outcome = await decide(open, new Outside(opened, undefined, names));
    assert.ok(outcome?.verdict === "allow");
    open.outcome = outcome;
    const outside = new Outside(current, undefined, names);
    const refusal = await refusalOf(open, dialledOf(open, outcome), outside);
    assert.equal(refusal === undefined, stays, refusal?.reason);
  });

for (const [address, reason] of [
  ["93.184.216.34", "allowed.rule"],
  ["93.184.216.99", "denied.stale_address"],
] as const)
  test(`names that are matched by address alone are resolved before ${address} is ${reason}`, async () => {
    const outside = new Outside(byDns, undefined, {
      "db.example.com": [address === DESTINATION.address ? address : "93.184.216.35"],
    });
    const open = connection({ destination: { address, port: 443 } });
    assert.equal((await decide(open, outside))?.reason, reason);
    const again = reason === "denied.stale_address" ? ["db.example.com again"] : [];
    assert.deepEqual(outside.asked, ["db.example.com", ...again]);
  });

test("an address that the app was told of before we were is found by asking once more", async () => {
  const known = new Map([["db.example.com", ["93.184.216.34"]]]);
  const answers: Answers = {
    addressesOf: (name) => known.get(name),
    namesOf: (address) =>
      [...known].flatMap(([name, its]) => (its.includes(address) ? [name] : [])),
  };
  const outside = new Outside(byDns);
  outside.onRefresh = () => known.set("db.example.com", ["93.184.216.99"]);
  const { policy, look, refresh, resolve } = outside;
  const open = connection({ destination: { address: "93.184.216.99", port: 443 } });
  const decided = await decide(open, { policy, look, refresh, resolve, answers });
  assert.deepEqual([decided?.reason, outside.asked], ["allowed.rule", ["db.example.com again"]]);
});

test("what a boundary denies by a name that nobody answers for cannot be told, and is refused", async () => {
  const boundary = {
    ...{ apiVersion: "sallyport.dev/v1alpha1" as const, kind: "EgressBoundary" as const },
    metadata: { name: "platform" },
    spec: {
      deny: [{ hosts: ["db.rival.example"], ports: [{ port: 443, protocol: "tcp" as const }] }],
    },
  };
  const to = [{ cidrs: ["93.184.216.0/24"], ports: [{ port: 443, protocol: "tcp" }] }];
  for (const [error, reason] of [
    ["timeout", "failed.dns"],
    ["not_found", "allowed.rule"],
  ] as const) {
    const outside = new Outside(policy(to, { boundaries: [boundary] }));
    const { policy: current, look, refresh, answers } = outside;
    const resolve = async () => ({ addresses: [], error });
    const means = { policy: current, look, refresh, answers, resolve };
    assert.equal((await decide(connection(), means))?.reason, reason, error);
  }
});
