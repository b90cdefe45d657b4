import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lacking as skip } from "../cluster/given.ts";
import { boundary, FleetBed, given, rule, tls } from "./fleet-bed.ts";

const WEB = { app: "web" };
const api = rule("api", { to: [tls("api.example.com")] });
const forDb = rule("db", { selector: { matchLabels: { app: "db" } }, to: [tls("db.example.com")] });
const prod = boundary("prod", {
  deny: [tls("evil.example.com")],
  baseline: [tls("updates.example.com")],
});

let bed: FleetBed;
before(async () => {
  if (skip) return;
  bed = await FleetBed.start();
  await bed.namespace("shop");
  await bed.namespace("bank");
  await bed.apply(api, forDb, prod);
  const seen = (name: string, more: object = {}) => ({
    ...{ name, name_source: "sni" as const, protocol: "tls" as const, rule: "shop/api", entry: 0 },
    resolved: ["93.184.216.34"],
    ...more,
  });
  const permitted = { rule: "shop/api" };
  await bed.pod({
    ...{ name: "web", labels: WEB, policy: given([api, forDb, prod], WEB) },
    records: [
      ...[1, 2, 3].map(() => seen("api.example.com", permitted)),
      // From before the rule came.
      seen("api.example.com", { verdict: "deny", reason: "denied.no_rule", rule: undefined }),
      seen("other.example.com", { verdict: "deny", reason: "denied.no_rule", rule: undefined }),
    ],
  });
  await bed.pod({ name: "old", labels: WEB, policy: given([prod], WEB) });
  const { snapshot: _, ...nothing } = given([]);
  const control = { connected: false, problem: "no controller answers" };
  await bed.pod({ name: "new", policy: { ...nothing, control } });
});
after(() => bed?.[Symbol.asyncDispose]());

test("get: mode, rules, boundaries, each with where it is from, and that it is what the cluster gives", {
  skip,
}, async () => {
  const { status, stdout, stderr } = await bed.run("get", "web", "-n", "shop");
  assert.deepEqual([status, stderr], [0, ""]);
  for (const line of [
    /^pod shop\/web: enforce, by boundary prod$/m,
    /^ {2}policy +revision r1$/m,
    /^ {2}from +the controllers, connected$/m,
    /^ {2}compared +it is what the cluster's rules and boundaries give$/m,
    /^rules:\n {2}shop\/api spec\.to\[0\]\n {4}api\.example\.com on 443 \(tls\)$/m,
    /^baseline:\n {2}boundary prod spec\.baseline\[0\]\n {4}updates\.example\.com on 443/m,
    /^deny:\n {2}boundary prod spec\.deny\[0\]/m,
    /^resolvers: 10\.96\.0\.10$/m,
  ])
    assert.match(stdout, line);
  assert.doesNotMatch(stdout, /db\.example\.com/, "a rule for other pods is none of its own");
});

test("get: a sidecar that has another policy than the cluster gives, with what differs", {
  skip,
}, async () => {
  const { status, stdout } = await bed.run("get", "pod/old", "-n", "shop");
  assert.equal(status, 0);
  assert.match(stdout, /compared +it is not what .* give: 1 difference$/m);
  assert.match(
    stdout,
    /shop\/api spec\.to\[0\]\n +sidecar +has no such entry\n +cluster +api\.example\.com on 443 \(tls\)/,
  );
  const json = JSON.parse((await bed.run("get", "old", "-n", "shop", "-o", "json")).stdout);
  assert.equal(json.agrees, false);
  assert.deepEqual(json.differences, [
    {
      ...{ where: "shop/api spec.to[0]", in_sidecar: null },
      on_cluster: "api.example.com on 443 (tls)",
    },
  ]);
  assert.equal(json.snapshot.namespace, "shop");
  const yaml = await bed.run("get", "old", "-n", "shop", "-o", "yaml");
  assert.match(yaml.stdout, /^agrees: false$/m);
});

test("get: a sidecar that has no policy yet permits nothing, and says why it waits", {
  skip,
}, async () => {
  const { status, stdout } = await bed.run("get", "new", "-n", "shop");
  assert.equal(status, 0);
  assert.match(stdout, /nothing is permitted, its first policy has not come yet/);
  assert.match(stdout, /not connected: no controller answers/);
});

test("get: a rule that cannot be used is told, and what it makes differ is not held against the sidecar", {
  skip,
}, async () => {
  // Past every look at it: as of an older version, or of a schema that was loosened by hand.
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
  const loose = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const crd = "egressrules.sallyport.dev";
  const strict = JSON.parse(await bed.kubectl(["get", "crd", crd, "-o", "json"]));
  const { spec } = strict.spec.versions[0].schema.openAPIV3Schema.properties;
  const patch = (value: unknown) =>
    bed.kubectl([
      "patch",
      "crd",
      crd,
      "--type=json",
      "-p",
      JSON.stringify([{ op: "replace", path, value }]),
    ]);
  await patch(loose);
  try {
    const wrong = { to: [{ hosts: ["*"], ports: [{ port: 443, protocol: "tls" }] }] };
    await until(async () => {
      await bed.apply(rule("api", wrong));
    });
    const { stdout } = await bed.run("get", "web", "-n", "shop");
    assert.match(stdout, /compared +it is what the cluster's rules and boundaries give$/m);
    assert.match(stdout, /unusable +shop\/egressrule\/api: spec\.to\[0\]\.hosts\[0\]: /);
  } finally {
    await bed.apply(api);
    await patch(spec);
  }
});

test("get: a pod without a sidecar, and one that is not there, are told in a line", {
  skip,
}, async () => {
  await bed.apply({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "bare", namespace: "bank" } },
    spec: { containers: [{ name: "app", image: "shop/app:1" }] },
  });
  const bare = await bed.run("get", "bare", "-n", "bank");
  assert.equal(bare.status, 1);
  assert.match(
    bare.stderr,
    /^sallyport get: pod bare: it has no sidecar: its namespace is not lab/,
  );
  const none = await bed.run("get", "pod/none", "-n", "bank");
  assert.deepEqual([none.status, none.stdout], [1, ""]);
  assert.match(none.stderr, /there is no pod none in namespace bank/);
});

test("explain POD: by the policy that the sidecar has, and by the addresses that it found", {
  skip,
}, async () => {
  const passes = await bed.run("explain", "web", "https://api.example.com/x", "-n", "shop");
  assert.equal(passes.status, 0, passes.stdout + passes.stderr);
  assert.match(passes.stdout, /^✓ api\.example\.com:443 is allowed \(allowed\.rule\)$/m);
  assert.match(passes.stdout, /by +shop\/api spec\.to\[0\]/);
  assert.match(passes.stdout, /dialled +93\.184\.216\.34$/m);
  assert.match(
    passes.stdout,
    /api\.example\.com resolves to 93\.184\.216\.34, as this sidecar found/,
  );
  const refused = await bed.run("explain", "old", "api.example.com:443", "-n", "shop");
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /^✗ api\.example\.com:443 is refused \(denied\.no_rule\)$/m);
  assert.match(
    refused.stdout,
    /it is not what the cluster's rules give now: sallyport get old -n shop/,
  );
  assert.match(refused.stdout, /resolves to a public address/, "what nobody knows is assumed");
});

test("explain POD: a Service of the cluster is known by its name", { skip }, async () => {
  await bed.apply({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "cart", namespace: "bank" } },
    spec: { clusterIP: "None", selector: { app: "cart" }, ports: [{ port: 80 }] },
  });
  await bed.apply({
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
    metadata: {
      ...{ name: "cart-1", namespace: "bank" },
      labels: { "kubernetes.io/service-name": "cart" },
    },
    endpoints: [{ addresses: ["10.1.2.3"] }],
    ports: [{ port: 80 }],
  });
  const ran = await bed.run("explain", "web", "cart.bank:80", "-n", "shop", "-o", "json");
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const { pod, reason, notes } = JSON.parse(ran.stdout);
  assert.deepEqual([pod, reason], ["web", "allowed.cluster"]);
  assert.ok(notes.includes("cart.bank is Service bank/cart, at 10.1.2.3"), notes.join("\n"));
});

test("explain POD: without a policy there is no verdict, and options that are for files are refused", {
  skip,
}, async () => {
  const none = await bed.run("explain", "new", "api.example.com:443", "-n", "shop");
  assert.equal(none.status, 3);
  assert.match(none.stderr, /permits nothing, for its first policy has not come yet/);
  const wrong = await bed.run("explain", "web", "api.example.com:443", "-l", "a=b");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--labels: of a pod it is known/);
});

test("simulate --proposed: what would change for whom, by what sidecars have seen", {
  skip,
}, async () => {
  const file = bed.file("proposed.json", rule("api", { to: [tls("other.example.com")] }));
  const ran = await bed.run("simulate", "--proposed", file, "-n", "shop");
  assert.equal(ran.status, 1, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /^5 connections judged again$/m);
  assert.match(ran.stdout, /^✗ shop\/pod\/web: api\.example\.com:443 \(tls\), 4 connections/m);
  assert.match(ran.stdout, /^✓ shop\/pod\/web: other\.example\.com:443 \(tls\), 1 connection,/m);
  assert.match(ran.stderr, /^asked: 2 sidecars in namespace shop$/m);
  assert.match(
    ran.stderr,
    /^not asked: 1 sidecar\n {2}shop\/new: pod new: its first policy has not/m,
  );
});

test("simulate --proposed: what is there already changes nothing, and -o json says who was asked", {
  skip,
}, async () => {
  const file = bed.file("same.json", api);
  const ran = await bed.run("simulate", "--proposed", file, "-A", "-o", "json");
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const told = JSON.parse(ran.stdout);
  assert.deepEqual(told.unchanged, { connections: 5, requests: 0 });
  assert.equal(told.sidecars.asked, 2);
  assert.deepEqual(
    told.sidecars.not_asked.map(({ pod }: { pod: string }) => pod),
    ["shop/new"],
  );
});

test("simulate --proposed: a boundary is tried on every namespace that it selects", {
  skip,
}, async () => {
  const file = bed.file("deny.json", boundary("strict", { deny: [tls("api.example.com")] }));
  const ran = await bed.run("simulate", "--proposed", file, "-n", "shop", "--suggest");
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, /denied\.boundary/);
  assert.match(ran.stderr, /What these rules do not keep open:\n {2}shop: api\.example\.com:443/);
  assert.equal(ran.stdout, "", "no rule helps against a deny");
});

test("simulate --proposed: where no sidecar can be asked there is no answer", {
  skip,
}, async () => {
  const file = bed.file("bank.json", rule("api", { to: [tls("a.example.com")] }, "bank"));
  const ran = await bed.run("simulate", "--proposed", file, "-n", "bank");
  assert.deepEqual([ran.status, ran.stdout], [3, ""]);
  assert.match(ran.stderr, /no pod there has a sidecar that runs/);
});

test("simulate --proposed: where a namespace cannot be read nobody knows its boundaries, and that is said", {
  skip,
}, async () => {
  const file = bed.file("nowhere.json", rule("api", { to: [tls("a.example.com")] }, "nowhere"));
  const ran = await bed.run("simulate", "--proposed", file, "-n", "nowhere");
  assert.deepEqual([ran.status, ran.stdout], [3, ""]);
  assert.match(ran.stderr, /namespaces "nowhere" not found/);
});

/** A CRD's new schema is in force a moment after it is stored. */
async function until(work: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      await work();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
