import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createAuthority } from "@sallyport/controller/certificates";
import type { EgressRule } from "@sallyport/core/rules";
import { Bed } from "./clients/bed.ts";
import { CURL, curl } from "./clients/http-curl.ts";
import { Origin } from "./clients/http-origin.ts";
import { lacking } from "./clients/programs.ts";
import { TlsServers } from "./support/tls-servers.ts";

/** A Service of type ExternalName is asked for by any of its names, judged as what it stands for, and reached as that. */
const TARGET = "www.example.com";
const WEB = "93.184.216.10";
const now = Date.now();
const authority = await createAuthority(now);
const shown = await authority.issue([TARGET, "api.partner.net"], now);
const folder = mkdtempSync(join(tmpdir(), "sallyport-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);
const bundle = join(folder, "bundle.pem");
writeFileSync(bundle, authority.certificate, { mode: 0o644 });

const namesOf = (service: string, namespace: string) => [
  service,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];
const OWN = namesOf("httpbin", "shop");
const REFUSED = namesOf("partner", "shop");
const THEIRS = namesOf("pay", "payments");
/** As the cluster's resolver answers, the search list already applied. */
const aliases = (names: readonly string[], target: string) =>
  Object.fromEntries(names.map((name) => [name, { CNAME: target }]));

const rules = {
  web: [
    {
      hosts: [TARGET],
      ports: [
        { port: 80, protocol: "http" as const },
        { port: 443, protocol: "https" as const },
      ],
    },
  ],
};
const cluster = {
  externalNames: [
    { namespace: "shop", name: "httpbin", externalName: TARGET },
    { namespace: "shop", name: "partner", externalName: "api.partner.net" },
    { namespace: "shop", name: "inside", externalName: "db.data.svc.cluster.local" },
    { namespace: "payments", name: "pay", externalName: TARGET },
  ],
};
const bed = await Bed.open(
  { after },
  {
    rules,
    policy: { cluster },
    zone: {
      [TARGET]: { A: [WEB] },
      "api.partner.net": { A: [WEB] },
      ...aliases(OWN, TARGET),
      ...aliases(REFUSED, "api.partner.net"),
      ...aliases(THEIRS, TARGET),
      "inside.shop": { A: [WEB] },
    },
    settings: { upstreamTls: { caFiles: [bundle] } },
  },
);
const origin = await Origin.start(bed);
const servers = await TlsServers.start(bed.world, [
  { address: WEB, certificate: shown.certificate, key: shown.key },
]);
const trusted = ["--cacert", bundle];

describe("by any of its names", { skip: lacking("curl") }, () => {
  for (const name of OWN) {
    test(`http://${name}/ reaches what it stands for, under that name`, async () => {
      const before = origin.arrivedAt(TARGET).length;
      const { status, body } = await curl(bed, `http://${name}/from-${name}`);
      assert.deepEqual([status, body], [200, `GET /from-${name} of ${TARGET}\n`]);
      assert.equal(origin.arrivedAt(TARGET).length, before + 1);
      const [record] = await bed.recordsOf(name);
      assert.deepEqual(
        [record?.reason, record?.external_name, record?.matched, record?.originated],
        ["allowed.rule", TARGET, `${TARGET}:80`, undefined],
      );
    });

    test(`http://${name}:443/ reaches it over TLS, verified for what it stands for`, async () => {
      const before = servers.visits.length;
      const { status, body } = await curl(bed, `http://${name}:443/`);
      assert.equal(status, 200, body);
      const visit = servers.visits[before];
      assert.equal(visit?.servername, TARGET);
      assert.match(visit?.host ?? "", /^www\.example\.com(:443)?$/);
      const record = (await bed.recordsOf(name, 2)).at(-1);
      assert.deepEqual(
        [record?.external_name, record?.originated, record?.matched],
        [TARGET, true, `${TARGET}:443`],
      );
    });

    test(`https://${name}/ is judged as what it stands for, and its bytes are left as they are`, async () => {
      // The certificate is not for this name: that is for the app to see to, as it is without us.
      const { status, body } = await curl(bed, "--insecure", `https://${name}/`);
      assert.equal(status, 200, body);
      const { servername } = JSON.parse(body);
      // RFC 6066 §3 wants a whole DNS name: curl gives a short one all the same.
      assert.equal(servername, name);
      const record = (await bed.recordsOf(name, 3)).at(-1);
      assert.deepEqual(
        [record?.name_source, record?.external_name, record?.reason, record?.originated],
        ["sni", TARGET, "allowed.rule", undefined],
      );
    });
  }

  test("and by the name that it stands for, over the same connection", async () => {
    const before = origin.arrivedAt(TARGET).length;
    const [first = ""] = OWN;
    const { stdout } = await bed.run([
      ...[...CURL, "--header", `Host: ${first}`, `http://${TARGET}/a`, "--next", ...CURL.slice(1)],
      `http://${TARGET}/b`,
    ]);
    assert.equal(stdout, `GET /a of ${TARGET}\nGET /b of ${TARGET}\n`);
    const connections = origin
      .arrivedAt(TARGET)
      .slice(before)
      .map(({ connection }) => connection);
    assert.equal(new Set(connections).size, 1);
    const [record] = await bed.recordsWhere(({ path }) => path === "/b");
    assert.deepEqual([record?.request, record?.external_name], [2, undefined]);
  });
});

describe("where no rule permits what it stands for, it is refused, and told by that name", {
  skip: lacking("curl"),
}, () => {
  const rulesOffered: EgressRule[] = [];

  for (const name of REFUSED)
    test(`http://${name}/`, async () => {
      const json = ["--header", "Accept: application/json"];
      const { status, body } = await curl(bed, ...json, `http://${name}/`);
      assert.equal(status, 403);
      const explained: { egress_rule: EgressRule; message: string } = JSON.parse(body);
      assert.match(explained.message, new RegExp(`^${name}, which stands for api\\.partner\\.net`));
      rulesOffered.push(explained.egress_rule);
      const [record] = await bed.recordsOf(name);
      assert.deepEqual(
        [record?.reason, record?.external_name, record?.status],
        ["denied.no_rule", "api.partner.net", 403],
      );
    });

  test("and the rule that is offered permits all of its names", async () => {
    const [offered, ...others] = rulesOffered;
    assert.ok(offered);
    for (const other of others) assert.deepEqual(other, offered);
    await bed.egress.apply({ rules, cluster, more: [offered] });
    for (const name of REFUSED) {
      const { status, body } = await curl(bed, `http://${name}/`);
      assert.deepEqual([status, body], [200, "GET / of api.partner.net\n"], name);
    }
    await bed.egress.apply({ rules, cluster });
  });

  test("https://, by an alert", async () => {
    const [name = ""] = REFUSED;
    const { status, stderr } = await bed.run([...CURL, ...trusted, `https://${name}/`]);
    assert.equal(status, 35, stderr);
    assert.match(stderr, /alert access denied/);
  });

  test("a rule for the Service's own name permits nothing, and the answer says what it should name", async () => {
    const name = "partner.shop";
    const own = [{ hosts: [name], ports: [{ port: 80, protocol: "http" as const }] }];
    await bed.egress.apply({ rules: { ...rules, own }, cluster });
    const { status, body } = await curl(bed, `http://${name}/`);
    await bed.egress.apply({ rules, cluster });
    assert.equal(status, 403);
    assert.match(body, /nearest rule: shop\/own .*api\.partner\.net/);
  });
});

test("a Service of another namespace is found by its longer names alone", {
  skip: lacking("curl"),
}, async () => {
  const [short, ...long] = THEIRS;
  const statusOf = async (name: string | undefined) => (await curl(bed, `http://${name}/`)).status;
  assert.equal(await statusOf(short), 403);
  for (const name of long) assert.equal(await statusOf(name), 200, name);
});

test("what stands for a name of the cluster's own is no alias", {
  skip: lacking("curl"),
}, async () => {
  const { status } = await curl(bed, "http://inside.shop/");
  assert.equal(status, 403);
  const [record] = await bed.recordsOf("inside.shop");
  assert.deepEqual([record?.reason, record?.external_name], ["denied.no_rule", undefined]);
});
