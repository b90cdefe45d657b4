import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadAllYaml } from "@kubernetes/client-node";
import { lackingHelm } from "../../scripts/chart/helm.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { BY_SCHEMA, BY_WEBHOOK, manifestOf } from "./bad-rules.ts";
import { type Commands, CRDS, commandsAt, takeKinds } from "./chart-commands.ts";
import { until } from "./until.ts";
import { startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const REFERENCE = join(resolve(import.meta.dirname, "../.."), "docs/reference/rules.md");

/** Every object of the documentation. */
const EXAMPLES = [...readFileSync(REFERENCE, "utf8").matchAll(/^```yaml\n(.*?)^```$/gms)]
  .flatMap(([, text = ""]) => loadAllYaml(text) as { kind: string }[])
  .filter(({ kind }) => kind.startsWith("Egress"));

/** Newer API servers show the value where older ones name its type. */
const plain = (text: string) =>
  text.replaceAll(/(?<=Invalid value: )(?:"(?:object|string)"|("[^"]*")(?=: \1)): /g, "");

// An API server of its own: the kinds are the whole cluster's.
for (const version of [undefined, "1.30.14", "1.36.3"]) {
  const options = version === undefined ? {} : { version };
  describe(`rules on Kubernetes ${version ?? "as pinned"}, with nobody to ask`, {
    skip: lackingApiServer(options),
  }, () => {
    let server: OwnApiServer;
    let commands: Commands;
    before(async () => {
      server = await startApiServer(options);
      commands = commandsAt(server.kubeconfig);
    });
    after(() => server.stop());

    test("the kinds are taken without a warning, and are there", async () => {
      const applied = await commands.kubectl(["apply", "-f", CRDS]);
      assert.deepEqual([applied.status, applied.stderr], [0, ""]);
      const waited = await commands.kubectl([
        ...["wait", "--for=condition=Established", "-f", CRDS, "--timeout=60s"],
      ]);
      assert.equal(waited.status, 0, waited.stderr);
      // A schema that is not structural, or CEL that cannot be compiled, would be told here.
      const said = await commands.get(
        ...["crd", "-o", "jsonpath={.items[*].status.conditions[?(@.status!='True')].type}"],
      );
      assert.equal(said, "");
      for (const namespace of ["shop", "bookinfo"])
        await commands.kubectl(["create", "namespace", namespace]);
    });

    test("every rule and boundary of the documentation is taken", async () => {
      assert.ok(EXAMPLES.length >= 12);
      const { status, stderr } = await applyAll(commands, EXAMPLES);
      assert.deepEqual([status, stderr], [0, ""]);
    });

    test("what is as large as its bounds permit is checked within the API server's own bounds, and taken", async () => {
      const ports = Array.from({ length: 32 }, (_, i) => ({ port: i + 1, protocol: "tls" }));
      const hosts = Array.from({ length: 256 }, (_, i) => `*.host-${i}.services.example.com`);
      const cidrs = Array.from({ length: 512 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
      for (const entry of [{ hosts }, { cidrs }]) {
        const spec = { to: Array(64).fill({ ...entry, ports }) };
        const { status, stderr } = await commands.kubectl(
          ["create", "--dry-run=server", "-f", "-"],
          JSON.stringify(manifestOf({ kind: "EgressRule", spec }, "shop")),
        );
        assert.deepEqual([status, stderr], [0, ""]);
      }
    });

    for (const bad of BY_SCHEMA)
      test(`refused: ${bad.kind} ${bad.what}`, async () => {
        const { status, stderr } = await applyAll(commands, [manifestOf(bad, "shop")]);
        assert.notEqual(status, 0);
        for (const line of bad.told)
          assert.ok(plain(stderr).includes(line), `${line}\nin\n${stderr}`);
      });
  });
}

describe("rules with a controller to ask", { skip: lackingApiServer() || lackingHelm }, () => {
  let server: OwnApiServer;
  let commands: Commands;
  let bed: WebhookBed;
  let shop: string;
  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    await takeKinds(commands);
    await commands.kubectl(["create", "namespace", "shop"]);
    const [poison] = BY_WEBHOOK;
    if (poison) await applyAll(commands, [manifestOf(poison, "shop")]);
    bed = await startWebhookBed({ server });
    shop = await bed.namespace("none");
    const [bad] = BY_WEBHOOK;
    await until(
      "the webhook is called",
      async () => bad && (await applyAll(commands, [manifestOf(bad, shop)], "--dry-run=server")),
      (said) => said?.status !== 0,
    );
  });
  after(async () => {
    await bed?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  for (const bad of BY_WEBHOOK)
    test(`refused, with every mistake, its field, its value and the fix: ${bad.kind} ${bad.what}`, async () => {
      const { status, stderr } = await applyAll(commands, [manifestOf(bad, shop)]);
      assert.notEqual(status, 0);
      assert.match(
        stderr,
        new RegExp(
          `admission webhook "rules.sallyport.dev" denied the request: this ${bad.kind} cannot be used:\n`,
        ),
      );
      for (const line of bad.told)
        assert.ok(stderr.includes(`\n  ${line}`), `${line}\nin\n${stderr}`);
    });

  test("every rule and boundary of the documentation is taken, and nothing is odd about it", async () => {
    const own = EXAMPLES.map((example) =>
      JSON.parse(JSON.stringify(example).replace(/"namespace":"\w+"/, `"namespace":"${shop}"`)),
    );
    const { status, stderr } = await applyAll(commands, own);
    assert.equal(status, 0, stderr);
    assert.equal(stderr, "");
  });

  test("what is legal and odd is taken, with a warning that says so", async () => {
    const spec = { to: [{ cidrs: ["8.0.0.0/6"], ports: [{ port: 443, protocol: "tls" }] }] };
    const { status, stderr } = await applyAll(commands, [
      manifestOf({ kind: "EgressRule", spec }, shop),
    ]);
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^Warning: spec\.to\[0\]\.cidrs\[0\]: 8\.0\.0\.0\/6 does not reach 10\.0\.0\.0\/8/,
    );
  });

  test("a rule with a generated name is looked at as any other", async () => {
    const { metadata: _, ...rest } = manifestOf(
      {
        kind: "EgressRule",
        spec: { to: [{ hosts: ["a.example"], ports: [{ port: 1, protocol: "tls" }] }] },
      },
      shop,
    );
    const object = { ...rest, metadata: { generateName: "allow-", namespace: shop } };
    const { status, stderr } = await commands.kubectl(
      ["create", "-f", "-"],
      JSON.stringify(object),
    );
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("one that slipped in can be labelled, told of and deleted; its spec can only become one that can be used", async () => {
    const name = "written-by-a-test";
    const where = [name, "--namespace", "shop"];
    const rule = `egressrule/${name}`;
    const change = (...args: readonly string[]) =>
      commands.kubectl(["patch", "egressrule", ...where, "--type=merge", ...args]);
    // For this namespace, too, from now on.
    await commands.kubectl(["label", "namespace", "shop", bed.label]);
    const port = {
      spec: { to: [{ cidrs: ["10.0.0.1/8"], ports: [{ port: 1, protocol: "tcp" }] }] },
    };
    await until(
      "the webhook is called",
      () => change("--dry-run=server", "--patch", JSON.stringify(port)),
      ({ status }) => status !== 0,
    );
    const finalizers = { metadata: { finalizers: ["test.sallyport.dev/held"] } };
    assert.equal((await change("--patch", JSON.stringify(finalizers))).status, 0);
    const told = { status: { conditions: [READY] } };
    const status = await change("--subresource=status", "--patch", JSON.stringify(told));
    assert.deepEqual([status.status, status.stderr], [0, ""]);
    await commands.kubectl(["delete", rule, "--namespace", "shop", "--wait=false"]);
    const released = await change("--patch", '{"metadata":{"finalizers":null}}');
    assert.equal(released.status, 0, released.stderr);
    assert.match((await commands.kubectl(["get", "er", ...where])).stderr, /not found/);
  });
});

const READY = {
  ...{ type: "Ready", status: "False", reason: "Unusable", message: "it has host bits set" },
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

function applyAll(commands: Commands, objects: readonly object[], ...more: readonly string[]) {
  const text = objects.map((object) => JSON.stringify(object)).join("\n");
  return commands.kubectl(["apply", ...more, "-f", "-"], text);
}
