import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Commands, commandsAt, takeKinds } from "./chart-commands.ts";
import { type Installation, install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { until } from "./until.ts";

const ENTRY = "rules.sallyport.dev";

const BOUNDARIES = `
apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: no-paste }
spec:
  deny: [{ hosts: ["*.paste.example"], ports: [{ port: 1, endPort: 65535, protocol: tls }] }]
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: shops }
spec:
  namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } }
  allow: [{ hosts: ["*.example"], ports: [{ port: 443, protocol: tls }] }]
`;

const ruleIn = (namespace: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: web, namespace: ${namespace} }
spec:
  to: [{ hosts: [a.paste.example, www.example, www.other.test], ports: [{ port: 443, protocol: tls }] }]
`;

// Of its own: the kinds, and boundaries over every namespace, are the whole cluster's.
describe("rules under boundaries that a controller knows", {
  skip: lackingApiServer() || lackingHelm(),
}, () => {
  let server: OwnApiServer;
  let commands: Commands;
  let installation: Installation;
  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    await takeKinds(commands);
    for (const namespace of ["shop", "other"])
      await commands.kubectl(["create", "namespace", namespace]);
    installation = await install(server);
    await addEntry(installation);
    await installation.replica(["--policy-port", "0"]);
  });
  after(async () => {
    await installation?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  test("the leader keeps the webhook about rules as the others: trusted, and guarding", async () => {
    const mine = async () => (await installation.entries()).find(({ name }) => name === ENTRY);
    const found = await until("it guards", mine, (entry) => entry?.failurePolicy === "Fail", 60);
    assert.match(
      Buffer.from(found?.clientConfig.caBundle ?? "", "base64").toString(),
      /BEGIN CERTIFICATE/,
    );
  });

  test("a rule that a boundary denies, or of which its ceiling allows nothing, is taken with a warning, in the namespaces of that boundary", async () => {
    assert.equal((await commands.kubectl(["apply", "-f", "-"], BOUNDARIES)).status, 0);
    const warningsIn = async (namespace: string) => {
      const said = await commands.kubectl(["apply", "-f", "-"], ruleIn(namespace));
      assert.equal(said.status, 0, said.stderr);
      await commands.kubectl(["delete", "egressrule", "web", "--namespace", namespace]);
      return said.stderr.trim().split("\n");
    };
    const inShop = await until(
      "the controller knows both",
      () => warningsIn("shop"),
      (warnings) => warnings.length === 2,
    );
    const [denied = "", outside = ""] = inShop;
    assert.match(
      denied,
      /^Warning: spec\.to\[0\]\.hosts\[0\]: a\.paste\.example.*boundary no-paste denies it$/,
    );
    assert.match(
      outside,
      /^Warning: spec\.to\[0\]\.hosts\[2\]: www\.other\.test.*boundary shops allows nothing of it$/,
    );
    assert.deepEqual(await warningsIn("other"), [denied]);
  });
});

/** The chart's webhook about rules, led to where the installation's others lead. */
async function addEntry({ api, name }: Installation): Promise<void> {
  const body = await api.admission.readValidatingWebhookConfiguration({ name });
  const [first] = body.webhooks ?? [];
  if (!first?.clientConfig.url) throw new Error("no webhook to lead after");
  const { origin } = new URL(first.clientConfig.url);
  body.webhooks?.push({
    name: ENTRY,
    clientConfig: { url: `${origin}/validate/rules` },
    rules: [
      {
        ...{ apiGroups: ["sallyport.dev"], apiVersions: ["v1alpha1"] },
        ...{ resources: ["egressrules", "egressboundaries"], operations: ["CREATE", "UPDATE"] },
      },
    ],
    ...{ failurePolicy: "Ignore", sideEffects: "None", admissionReviewVersions: ["v1"] },
  });
  await api.admission.replaceValidatingWebhookConfiguration({ name, body });
}
