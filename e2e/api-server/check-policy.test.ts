import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { lacking as skip } from "../cluster/given.ts";
import { type CheckBed, INSTALL, podOf, startCheckBed } from "./check-bed.ts";
import { boundary, given, rule, tls } from "./fleet-bed.ts";
import { RUNNING, sidecarPages } from "./sidecar-pages.ts";

const CRDS = resolve(import.meta.dirname, "../../manifests/crds.yaml");
const WEB = { app: "web" };
const api = rule("api", { to: [tls("api.example.com")] });

let bed: CheckBed;
const pages: { close(): void }[] = [];
before(async () => {
  if (skip) return;
  bed = await startCheckBed();
  await bed.namespace("shop", { "sallyport.dev/injection": "enabled" });
  await bed.apply(api);
});
after(async () => {
  for (const page of pages) page.close();
  await bed?.[Symbol.asyncDispose]();
});

/** A pod that was injected, whose sidecar runs and has that policy. */
async function pod(name: string, policy: Parameters<typeof sidecarPages>[1], annotations = {}) {
  const metadata = {
    ...{ namespace: "shop", labels: WEB },
    annotations: { "sallyport.dev/inject": "true", ...annotations },
  };
  await bed.kubectl(["create", "-f", "-"], podOf(name, { metadata }));
  await bed.kubectl([
    ...["patch", "pod", name, "-n", "shop", "--subresource=status", "--type=merge"],
    ...["-p", RUNNING],
  ]);
  const page = await sidecarPages("shop", policy);
  pages.push(page);
  bed.front.lead("shop", name, page.port);
  return async () => {
    await bed.kubectl(["delete", "pod", name, "-n", "shop", "--force", "--grace-period=0"]);
  };
}

const found = async (...args: readonly string[]) => [...new Set(await bed.findings(args))].sort();

test("rules that are in force and sidecars that have them are no finding", { skip }, async () => {
  const gone = await pod("web", given([api], WEB));
  const { status, stdout } = await bed.check();
  assert.equal(status, 0, stdout);
  assert.match(stdout, /✓ policy +1 rule, 0 boundaries; 1 of 1 running sidecar asked$/m);
  const json = JSON.parse((await bed.check(["-o", "json"])).stdout);
  assert.deepEqual(json.policy, {
    ...{ rules: 1, boundaries: 0, sidecars: { running: 1, asked: 1 } },
  });
  assert.equal(json.installation.policyPortAnswers, true);
  await gone();
});

for (const [what, policy, finding, said] of [
  ["has another policy", given([], WEB), "sidecar_policy_stale", /shop\/api spec\.to\[0\]/],
  [
    "is not connected",
    given([api], WEB, { control: { connected: false, problem: "no route" } }),
    "sidecar_disconnected",
    /keeps what it has: no route/,
  ],
  [
    "has no policy",
    { ...given([], WEB), snapshot: undefined } as never,
    "sidecar_without_policy",
    /permits nothing/,
  ],
] as const)
  test(`a sidecar that ${what} is told, with the command that says more`, { skip }, async () => {
    const gone = await pod("web", policy);
    assert.deepEqual(await found(), [`${finding} shop/pod/web`]);
    const { status, stdout } = await bed.check();
    assert.equal(status, 1);
    assert.match(stdout, said);
    assert.match(stdout, /→ see what it has and why: sallyport get pod\/web -n shop/);
    assert.deepEqual(
      await found("--sidecars", "0"),
      [],
      "nobody is asked where that is not wanted",
    );
    await gone();
  });

test("a sidecar that cannot be asked is a note: whether it has its policy nobody knows", {
  skip,
}, async () => {
  const gone = await pod("web", given([api], WEB));
  bed.front.lead("shop", "web", 1);
  const { status, stdout } = await bed.check();
  assert.equal(status, 0);
  assert.match(stdout, /· sidecars +\(sidecar_not_asked\)\n +1 of 1 sidecar could not be asked/);
  await gone();
});

test("a rule under a boundary that refuses it, one for no pod, and a boundary where nobody looks", {
  skip,
}, async () => {
  await bed.namespace("dark", { tier: "dark" });
  const strict = boundary("strict", {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
    allow: [tls("other.example.com")],
  });
  const required = boundary("required", {
    namespaceSelector: { matchLabels: { tier: "dark" } },
    injection: "required",
  });
  const none = rule("none", {
    selector: { matchLabels: { app: "none" } },
    to: [tls("other.example.com")],
  });
  await bed.apply(strict, required, none);
  const gone = await pod("web", given([api, none, strict], WEB));
  assert.deepEqual(await found(), [
    "required_not_labelled namespace/dark",
    "rule_refused shop/egressrule/api",
    "rule_without_pods shop/egressrule/none",
  ]);
  const { stdout } = await bed.check();
  assert.match(
    stdout,
    /spec\.to\[0\]\.hosts\[0\]: api\.example\.com, port 443 \(tls\): boundary str/,
  );
  await bed.kubectl(["delete", "egressboundary", "strict", "required"]);
  await bed.kubectl(["delete", "egressrule", "none", "-n", "shop"]);
  await gone();
});

test("a bypass annotation in use is a note, and one that a boundary does not permit is to be acted upon", {
  skip,
}, async () => {
  const annotations = { "sallyport.dev/exclude-outbound-ports": "5432" };
  const strict = boundary("strict", { workloadOverrides: [] });
  const gone = await pod("web", given([api, strict], WEB), annotations);
  assert.deepEqual(await found("--sidecars", "0"), ["bypass_in_use shop/pod/web"]);
  await bed.apply(strict);
  assert.deepEqual(await found("--sidecars", "0"), ["bypass_not_permitted shop/pod/web"]);
  const { stdout } = await bed.check();
  assert.match(
    stdout,
    /\(exclude-outbound-ports: 5432\); boundary strict does not permit exclude-out/,
  );
  await bed.kubectl(["delete", "egressboundary", "strict"]);
  await gone();
});

test("a pod that opted out has its sidecar missing where a boundary requires it, and what stands in the way is told", {
  skip,
}, async () => {
  const metadata = { namespace: "shop", annotations: { "sallyport.dev/inject": "false" } };
  const asRoot = { containers: [{ name: "app", image: "shop/app:1" }] };
  await bed.kubectl(["create", "-f", "-"], podOf("out", { metadata, spec: asRoot }));
  const missing = async () => (await found()).filter((each) => each.includes("shop/pod/out"));
  assert.deepEqual(await missing(), []);
  await bed.apply(boundary("strict", { injection: "required" }));
  assert.deepEqual(await missing(), ["sidecar_missing shop/pod/out"]);
  const { stdout } = await bed.check();
  assert.match(stdout, /a boundary requires it/);
  assert.match(stdout, /app may run as root .*required by EgressBoundary strict/);
  await bed.kubectl(["delete", "egressboundary", "strict"]);
  await bed.kubectl(["delete", "pod", "out", "-n", "shop", "--force", "--grace-period=0"]);
});

test("what the controllers find beside what they were told of the cluster is found, while they tell of it", {
  skip,
}, async () => {
  const event = (name: string, ageMs: number) =>
    bed.kubectl(["create", "-f", "-"], {
      ...{ apiVersion: "v1", kind: "Event", type: "Warning", reason: "ClusterRangesIncomplete" },
      metadata: { name, namespace: INSTALL },
      involvedObject: { kind: "Deployment", namespace: INSTALL, name: "sallyport-controller" },
      message: `${name}: say the range in clusterCidrs`,
      lastTimestamp: `${new Date(Date.now() - ageMs).toISOString().slice(0, 19)}Z`,
    });
  const gone = await pod("web", given([api], WEB));
  await event("of-yesterday", 86_400_000);
  assert.deepEqual(await found(), []);
  await event("pods", 60_000);
  assert.deepEqual(await found(), [
    `cluster_not_as_told ${INSTALL}/deployment/sallyport-controller`,
  ]);
  const { status, stdout } = await bed.check();
  assert.equal(status, 0, stdout);
  assert.match(stdout, /the controllers, at .*: pods: say the range in clusterCidrs/);
  await bed.kubectl(["delete", "event", "pods", "of-yesterday", "-n", INSTALL]);
  await gone();
});

test("a kind that is not there, and a policy port that nobody answers, are found", {
  skip,
}, async () => {
  const gone = await pod("web", given([api], WEB));
  const there = bed.front.service;
  const message = 'no endpoints available for service "https:sallyport:policy"';
  bed.front.service = { status: 503, body: JSON.stringify({ kind: "Status", message }) };
  assert.deepEqual(await found(), [`policy_port_silent ${INSTALL}/service/sallyport`]);
  bed.front.service = there;
  await bed.kubectl(["delete", "crd", "egressboundaries.sallyport.dev"]);
  assert.deepEqual(await found(), [
    "crd_missing customresourcedefinition/egressboundaries.sallyport.dev",
  ]);
  await bed.kubectl(["apply", "--server-side", "-f", CRDS]);
  await bed.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS]);
  await gone();
});
