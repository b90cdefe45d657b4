import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Held } from "./support/caller.ts";
import { EgressPod, HOSTILE, OTHER, type Policy, REAL, type To } from "./support/egress-pod.ts";
import { told } from "./support/told.ts";

/**
 * A Service with endpoints outside the cluster is judged by these, and the sidecar dials the one that it judged. Whoever
 * dials the cluster IP itself is heard there: in a cluster, kube-proxy would take him to any endpoint.
 */
const SERVICE = "10.96.7.7";
const POD = "10.96.244.9";
const PORTS = { database: 5_432, web: 80, secure: 443 };
const THERE = { database: 15_432, web: 8_080, secure: 8_443 };

/** Where the Service leads; undefined while it is in the cluster. */
function cluster(...addresses: readonly string[]): NonNullable<Policy["cluster"]> {
  const ports = (["database", "web", "secure"] as const).map((each) => ({
    port: PORTS[each],
    endpoints: addresses.map((address) => ({ address, port: THERE[each] })),
  }));
  const service = { namespace: "shop", name: "db", addresses: [SERVICE], ports };
  return { ranges: ["10.96.0.0/16"], leadingOut: addresses.length > 0 ? [service] : [] };
}

const at = (address: string): To => [
  { cidrs: [`${address}/32`], ports: [{ port: THERE.database, protocol: "tcp" }] },
];
const byName: To = [
  {
    hosts: ["api.example.com"],
    ports: [
      { port: THERE.web, protocol: "http" },
      { port: THERE.secure, protocol: "tls" },
    ],
  },
];

const bed = await EgressPod.open(
  { after },
  {
    policy: { cluster: cluster(REAL) },
    zone: {
      "api.example.com": { A: [REAL, OTHER] },
      "db.shop.svc.cluster.local": { A: [SERVICE] },
    },
    addresses: [SERVICE, POD],
    listening: {
      tls: [PORTS.secure, THERE.secure],
      http: [PORTS.web, THERE.web],
      plain: [PORTS.database, THERE.database],
    },
  },
);
const database = { address: SERVICE, port: PORTS.database };
const secure = { address: SERVICE, port: PORTS.secure };
const web = (host: string) => ({
  ...{ address: SERVICE, port: PORTS.web },
  say: [Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)],
  enough: 400,
});
const visits = () => [SERVICE, HOSTILE].flatMap((each) => bed.witness.visitsAt(each)).length;

test("without a rule for what it leads to it is refused, though its address is the cluster's", async () => {
  const { heard, record } = await bed.attempt(database);
  assert.equal(heard.how, "ECONNRESET");
  assert.deepEqual(
    [record.reason, record.service, record.service_endpoints, record.dialled_address],
    ["denied.no_rule", "shop/db", [`${REAL}:15432`], undefined],
  );
  assert.equal(told((await bed.attempt({ ...secure, tls: "api.example.com" })).heard), "alert 49");
  assert.equal((await bed.attempt({ ...database, port: 9 })).record.reason, "denied.no_rule");
  assert.equal(visits(), 0);
});

test("the refusal says where it leads, and the rule that would permit that; with it, it does", async () => {
  const { heard } = await bed.attempt({ ...web("db"), enough: 4_000 });
  assert.match(
    heard.text,
    /Service shop\/db, which leads outside the cluster to 93\.184\.216\.34:8080/,
  );
  assert.match(
    heard.text,
    /cidrs: \["93\.184\.216\.34\/32"\]\n +ports: \[\{ port: 8080, protocol: tcp \}\]/,
  );
  const rule: To = [{ cidrs: [`${REAL}/32`], ports: [{ port: THERE.web, protocol: "tcp" }] }];
  await bed.apply({ rules: { web: rule }, cluster: cluster(REAL) });
  const again = await bed.attempt({ ...web("db"), enough: 100 });
  assert.match(again.heard.text, new RegExp(`${REAL} db`));
  assert.equal(visits(), 0);
});

test("with a rule for an endpoint that one is dialled, on its own port, and recorded with the Service", async () => {
  await bed.apply({ rules: { real: at(REAL) }, cluster: cluster(HOSTILE, REAL) });
  for (const _ of [1, 2, 3]) {
    const { heard, record } = await bed.attempt(database);
    assert.equal(told(heard), `${REAL} -`);
    assert.deepEqual(
      [record.reason, record.service, record.dialled_address, record.dialled_port],
      ["allowed.rule", "shop/db", REAL, THERE.database],
    );
  }
  assert.equal(visits(), 0);
});

test("by a name outside, in HTTP and in TLS; by its own name nobody arrives", async () => {
  await bed.apply({ rules: { api: byName }, cluster: cluster(REAL) });
  const { heard, record } = await bed.attempt({ ...web("api.example.com"), enough: 100 });
  assert.match(heard.text, new RegExp(`^HTTP/1.1 200 [^]*${REAL} api.example.com`));
  assert.deepEqual(
    [record.request, record.service, record.dialled_address, record.dialled_port],
    [1, "shop/db", REAL, THERE.web],
  );
  const tls = await bed.attempt({ ...secure, tls: "api.example.com" });
  assert.equal(told(tls.heard), `${REAL} api.example.com`);
  assert.equal(tls.record.dialled_port, THERE.secure);
  const own = await bed.attempt({ ...secure, tls: "db.shop.svc.cluster.local" });
  assert.equal(told(own.heard), "alert 49");
  assert.equal(visits(), 0);
});

test("TLS that is spoken for the app is spoken with the endpoint, and a failure there names it", async () => {
  const https: To = [
    { hosts: ["api.example.com"], ports: [{ port: THERE.secure, protocol: "https" }] },
  ];
  await bed.apply({ rules: { api: https }, cluster: cluster(REAL) });
  const asked = Buffer.from("GET / HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n");
  const { heard, record } = await bed.attempt({ ...secure, say: [asked], enough: 4_000 });
  // Nobody trusts the certificates of this world.
  assert.match(heard.text, /^HTTP\/1\.1 502 /);
  assert.match(
    heard.text,
    /api\.example\.com at 93\.184\.216\.34:8443 is permitted, but its certificate/,
  );
  assert.deepEqual(
    [record.reason, record.service, record.originated, record.dialled_port],
    ["failed.tls_verify", "shop/db", true, THERE.secure],
  );
  assert.equal(visits(), 0);
});

test("of several endpoints that are permitted one after the other is dialled", async () => {
  await bed.apply({ rules: { real: at(REAL), other: at(OTHER) }, cluster: cluster(REAL, OTHER) });
  const dialled = new Set<string>();
  for (const _ of [1, 2, 3]) dialled.add(told((await bed.attempt(database)).heard));
  assert.deepEqual([...dialled].sort(), [`${REAL} -`, `${OTHER} -`]);
});

describe("when endpoints change, open connections are judged again", () => {
  async function held(policy: Policy): Promise<Held> {
    await bed.apply(policy);
    return bed.app.hold(database);
  }
  async function staysOpen({ say }: Held): Promise<void> {
    assert.equal((await say(Buffer.from("still here\n"))).text, "still here\n");
    await bed.app.hangUp();
  }
  async function isRevoked({ ended }: Held): Promise<void> {
    const before = bed.records.filter(({ reason }) => reason === "revoked").length;
    const { how } = await Promise.race([ended, sleep(30_000, { how: "open" })]);
    assert.equal(how, "ECONNRESET");
    await bed.recordsWhere(({ reason }) => reason === "revoked", Math.max(before, 1));
  }

  test("one to a Service of the cluster that leads out now is cut", async () => {
    const open = await held({ cluster: cluster() });
    assert.equal(told(open.greeting), `${SERVICE} -`);
    await bed.apply({ rules: { real: at(REAL) }, cluster: cluster(REAL) });
    await isRevoked(open);
    assert.equal(told((await bed.attempt(database)).heard), `${REAL} -`);
  });

  test("one to an endpoint that is none any more lives on while a rule permits it, and no longer", async () => {
    const open = await held({ rules: { real: at(REAL) }, cluster: cluster(REAL) });
    await bed.apply({ rules: { real: at(REAL) }, cluster: cluster(OTHER) });
    await staysOpen(open);
    const next = await held({ rules: { real: at(REAL) }, cluster: cluster(REAL) });
    await bed.apply({ rules: { other: at(OTHER) }, cluster: cluster(OTHER) });
    await isRevoked(next);
    assert.equal(told((await bed.attempt(database)).heard), `${OTHER} -`);
  });

  test("one to a pod beside it lives on", async () => {
    const open = await held({ cluster: cluster(POD, REAL) });
    assert.equal(told(open.greeting), `${POD} -`);
    await bed.apply({ cluster: cluster(POD, REAL, OTHER) });
    await staysOpen(open);
  });

  test("the page of open connections names the Service", async () => {
    await held({ rules: { real: at(REAL) }, cluster: cluster(REAL) });
    const connections = JSON.parse(await bed.sidecar.admin("/connections?format=json"));
    assert.deepEqual(
      connections.map(({ service }: { service?: string }) => service),
      ["shop/db"],
    );
    await bed.app.hangUp();
  });

  test("a kept HTTP connection goes on to the endpoints that there are now", async () => {
    const ask = Buffer.from("GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    await bed.apply({ rules: { api: byName }, cluster: cluster(REAL) });
    const open = await bed.app.hold({ ...web("api.example.com"), enough: 100 });
    assert.match(open.greeting.text, new RegExp(REAL));
    await bed.apply({ rules: { api: byName }, cluster: cluster(OTHER) });
    assert.match((await open.say(ask)).text, new RegExp(OTHER));
    await bed.apply({ rules: { api: byName }, cluster: cluster(HOSTILE) });
    assert.match((await open.say(ask)).text, /^HTTP\/1\.1 403/);
    await bed.app.hangUp();
    assert.equal(bed.witness.visitsAt(HOSTILE).length, 0);
  });
});
