import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { lackingHelm, NAMESPACE } from "../../scripts/chart/helm.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import { type Commands, CRDS, commandsAt, INSTALL, MANIFEST, UPGRADE } from "./chart-commands.ts";
import { until } from "./until.ts";

const CONTROLLER = `system:serviceaccount:${NAMESPACE}:sallyport-controller`;
const KINDS = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] as const;
const GUARDED = "shop";
const UNGUARDED = "elsewhere";

const RULE = JSON.stringify({
  ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
  metadata: { name: "web", namespace: GUARDED },
  spec: { to: [{ hosts: ["a.example"], ports: [{ port: 443, protocol: "tls" }] }] },
});
/** Helm goes on with the values of the revision before where it is given none. */
const WITH_CRDS = ["--set", "crds.install=true"] as const;
const KEPT = [
  "APIService <none> v1alpha1.sallyport.dev",
  "CustomResourceDefinition <none> egressboundaries.sallyport.dev",
  "CustomResourceDefinition <none> egressrules.sallyport.dev",
  `EgressRule ${GUARDED} web`,
];

const WANTS_A_SIDECAR = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    generateName: "web-",
    namespace: GUARDED,
    annotations: { "sallyport.dev/inject": "true" },
  },
  spec: { containers: [{ name: "app", image: "app" }] },
});

/** Nobody runs pods here, so nobody answers; what the controllers write is written by this test, with their rights. */
describe("the life of a release, by real helm on a real API server", {
  skip: lackingHelm || lackingApiServer(),
}, () => {
  let server: OwnApiServer;
  let commands: Commands;
  let existing: readonly string[];
  const secret = randomBytes(8).toString("hex");
  const caBundle = Buffer.from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");

  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    const config = clientOf(server.kubeconfig);
    await createNamespace(config, GUARDED, { "sallyport.dev/injection": "enabled" });
    await createNamespace(config, UNGUARDED);
    existing = await everything();
  });
  after(() => server.stop());

  /** The names of all objects of all kinds that can be listed, but for those that come and go by themselves. */
  async function everything(): Promise<readonly string[]> {
    const { stdout } = await commands.kubectl([
      ...["api-resources", "--verbs=list", "--output=name"],
    ]);
    const kinds = stdout
      .trim()
      .split("\n")
      .filter((kind) => !/^(events|componentstatuses)/.test(kind));
    const listed = await commands.get(
      ...[kinds.join(","), "--all-namespaces", "--ignore-not-found", "--no-headers"],
      ...["-o", "custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name"],
    );
    return listed
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ").trim())
      .sort();
  }

  const createPod = (which = WANTS_A_SIDECAR) =>
    commands.kubectl(["create", "--dry-run=server", "-f", "-"], which);
  const patchAsController = async (kind: string, name: string, patch: readonly object[]) => {
    const { status, stderr } = await commands.kubectl([
      ...["patch", kind, name, "--as", CONTROLLER, "--type=json"],
      ...["--patch", JSON.stringify(patch)],
    ]);
    assert.deepEqual([status, stderr], [0, ""]);
  };
  const policies = async () => {
    const found = await commands.get(
      ...[
        KINDS.join(","),
        "-o",
        "jsonpath={range .items[*].webhooks[*]}{.name}={.failurePolicy} {end}",
      ],
    );
    return found.trim().split(" ");
  };
  const guardsAre = async (policy: "Ignore" | "Fail") =>
    assert.deepEqual((await policies()).toSorted(), [
      `all.final-pods.sallyport.dev=${policy}`,
      `all.pods.sallyport.dev=${policy}`,
      "all.workloads.sallyport.dev=Ignore",
      `enabled.final-pods.sallyport.dev=${policy}`,
      `enabled.pods.sallyport.dev=${policy}`,
      "enabled.workloads.sallyport.dev=Ignore",
      `rules.sallyport.dev=${policy}`,
    ]);
  /** What the controllers have written is still there. */
  const writtenIsKept = async () => {
    const where = ["--namespace", NAMESPACE];
    const kept = await Promise.all([
      commands.get("secret", "sallyport-certificate", ...where, "-o", "jsonpath={.data.tls\\.key}"),
      commands.get(
        "lease",
        "sallyport-controller",
        ...where,
        "-o",
        "jsonpath={.spec.holderIdentity}",
      ),
      ...KINDS.map((kind) =>
        commands.get(kind, "sallyport", "-o", "jsonpath={.webhooks[*].clientConfig.caBundle}"),
      ),
    ]);
    const bundles = (count: number) => Array(count).fill(caBundle.toString("base64")).join(" ");
    assert.deepEqual(kept, [
      Buffer.from(secret).toString("base64"),
      secret,
      bundles(4),
      bundles(3),
    ]);
  };

  const writeRule = (...more: readonly string[]) =>
    commands.kubectl(["apply", ...more, "-f", "-"], RULE);

  test("install: while nobody answers, pods are created; without the kinds, where somebody else brings them", async () => {
    await commands.helm(...INSTALL, "--set", "crds.install=false");
    await guardsAre("Ignore");
    assert.deepEqual((await createPod()).status, 0);
    assert.match((await writeRule()).stderr, /no matches for kind "EgressRule"/);
  });

  test("upgrade to one that has the kinds: rules can be written", async () => {
    await commands.helm(...UPGRADE, ...WITH_CRDS);
    const waited = await commands.kubectl([
      ...["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"],
    ]);
    assert.equal(waited.status, 0, waited.stderr);
  });

  test("roll back to before: the kinds stay, and so would every rule; while nobody answers, rules are written", async () => {
    await commands.helm("rollback", "sallyport", "1");
    await guardsAre("Ignore");
    const { status, stderr } = await writeRule();
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("the controllers' rights suffice to write what they keep; from then on nobody answers and no pod is created", async () => {
    const data = { "tls.key": Buffer.from(secret).toString("base64") };
    const replace = async (kind: string, name: string, change: object) => {
      const where = ["--namespace", NAMESPACE, "--as", CONTROLLER];
      const found = JSON.parse(await commands.get(kind, name, ...where, "-o", "json"));
      const { status, stderr } = await commands.kubectl(
        ["replace", ...where, "-f", "-"],
        JSON.stringify({ ...found, ...change }),
      );
      assert.deepEqual([status, stderr], [0, ""]);
    };
    await replace("secret", "sallyport-certificate", { data });
    await replace("lease", "sallyport-controller", { spec: { holderIdentity: secret } });
    const value = caBundle.toString("base64");
    for (const [kind, entries, guards] of [
      [KINDS[0], 4, 2],
      [KINDS[1], 3, 3],
    ] as const) {
      const each = (count: number, field: string, value: string) =>
        Array.from({ length: count }, (_, i) => ({
          ...{ op: "add", path: `/webhooks/${i}/${field}`, value },
        }));
      await patchAsController(kind, "sallyport", [
        ...each(entries, "clientConfig/caBundle", value),
        ...each(guards, "failurePolicy", "Fail"),
      ]);
    }
    await guardsAre("Fail");
    await until(
      "a pod",
      () => createPod(),
      ({ stderr }) => stderr.includes('failed calling webhook "enabled.pods.sallyport.dev"'),
    );
    const elsewhere = WANTS_A_SIDECAR.replace(GUARDED, UNGUARDED);
    assert.equal((await createPod(elsewhere)).status, 0);
    const changed = RULE.replace("a.example", "b.example");
    await until(
      "a rule",
      () => commands.kubectl(["apply", "--dry-run=server", "-f", "-"], changed),
      ({ stderr }) => stderr.includes('failed calling webhook "rules.sallyport.dev"'),
    );
  });

  test("a rule that is there can be labelled and deleted all the same, and its status written", async () => {
    const where = ["egressrule", "web", "--namespace", GUARDED];
    const status = JSON.stringify({ status: { matchedPods: 1 } });
    for (const args of [
      ["label", ...where, "team=shop"],
      ["patch", ...where, "--subresource=status", "--type=merge", "-p", status],
      ["delete", ...where, "--dry-run=server"],
    ]) {
      const said = await commands.kubectl(args);
      assert.deepEqual([said.status, said.stderr], [0, ""], args.join(" "));
    }
  });

  test("and they are no more than that", async () => {
    for (const [verb, ...what] of [
      ["create", "secrets"],
      ["list", "secrets"],
      ["get", "secrets/another"],
      ["delete", "secrets/sallyport-certificate"],
      ["create", "leases.coordination.k8s.io"],
      ["update", "configmaps/sallyport"],
      ["delete", "mutatingwebhookconfigurations/sallyport"],
      ["patch", "mutatingwebhookconfigurations/another"],
      ["get", "pods", "--namespace", GUARDED],
      ["update", "pods", "--namespace", GUARDED],
      ["get", "configmaps", "--namespace", GUARDED],
      ["create", "egressrules.sallyport.dev", "--namespace", GUARDED],
      ["update", "egressboundaries.sallyport.dev"],
      ["list", "secrets", "--namespace", GUARDED],
    ] as const) {
      const where = what.includes("--namespace" as never) ? [] : ["--namespace", NAMESPACE];
      const { stdout } = await commands.kubectl([
        ...["auth", "can-i", verb, ...what, ...where, "--as", CONTROLLER],
      ]);
      assert.equal(stdout.trim(), "no", `${verb} ${what.join(" ")}`);
    }
  });

  test("upgrade: the guards stay, and so does what the controllers have written", async () => {
    await commands.helm(...UPGRADE, "--set", "replicas=3", "--set", "defaultMode=audit");
    await guardsAre("Fail");
    await writtenIsKept();
  });

  test("roll back to the first revision: it brings its Ignore along, and nothing that was written is lost", async () => {
    await commands.helm("rollback", "sallyport", "1");
    await guardsAre("Ignore");
    await writtenIsKept();
    assert.equal(
      await commands.get(
        ...["deployment", "sallyport-controller", "--namespace", NAMESPACE],
        ...["-o", "jsonpath={.spec.replicas}"],
      ),
      "2",
    );
  });

  test("upgrade once more: the guards guard again", async () => {
    await commands.helm(...UPGRADE, ...WITH_CRDS);
    await guardsAre("Fail");
    await writtenIsKept();
    await until(
      "a pod",
      () => createPod(),
      ({ status }) => status !== 0,
    );
  });

  test("uninstall: pods are created again before the Service and the controllers go, and nothing is left but the kinds and what people wrote", async () => {
    const said = await commands.helm("uninstall", "sallyport", "--debug");
    const deleted = [...said.matchAll(/Starting delete for "(\S+)" (\w+)/g)].map(
      ([, , kind]) => kind,
    );
    assert.deepEqual(deleted.slice(0, 2), [
      "ValidatingWebhookConfiguration",
      "MutatingWebhookConfiguration",
    ]);
    assert.ok(deleted.includes("Service") && deleted.includes("Deployment"), said);
    assert.equal((await createPod()).status, 0);
    const left = (await everything()).filter((object) => !existing.includes(object));
    assert.deepEqual(left, [...KEPT, `Namespace <none> ${NAMESPACE}`]);
    const changed = await commands.kubectl(
      ["apply", "-f", "-"],
      RULE.replace("a.example", "b.example"),
    );
    assert.equal(changed.status, 0, changed.stderr);
  });

  test("install once more: the kinds are taken over as they are, the rule with them", async () => {
    await commands.helm(...INSTALL);
    assert.equal(
      (await commands.get("er", "-A", "-o", "name")).trim(),
      "egressrule.sallyport.dev/web",
    );
    await commands.helm("uninstall", "sallyport");
  });

  test("kubectl apply and delete of manifests/install.yaml: pods are created all the time, and nothing is left", async () => {
    const applied = await commands.kubectl(["apply", "-f", MANIFEST]);
    assert.equal(applied.status, 0, applied.stderr);
    await guardsAre("Ignore");
    assert.equal((await createPod()).status, 0);
    const again = await commands.kubectl(["apply", "-f", MANIFEST]);
    assert.equal(again.status, 0, again.stderr);
    const deleted = await commands.kubectl(["delete", "--wait=false", "-f", MANIFEST]);
    assert.equal(deleted.status, 0, deleted.stderr);
    assert.equal((await createPod()).status, 0);
    const left = (await everything()).filter((object) => !existing.includes(object));
    // Nobody here takes a namespace apart; it is told to go.
    assert.deepEqual(left, [...KEPT, `Namespace <none> ${NAMESPACE}`]);
  });

  test("manifests/crds.yaml changes nothing of the kinds that the chart has brought", async () => {
    const { status, stdout } = await commands.kubectl(["diff", "--server-side", "-f", CRDS]);
    assert.equal(status, 0, stdout);
  });
});
