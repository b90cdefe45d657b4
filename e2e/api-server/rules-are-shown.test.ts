import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Commands, commandsAt, takeKinds } from "./chart-commands.ts";
import { until } from "./until.ts";

const OBJECTS = `
apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: googleapis, namespace: default }
spec:
  to:
    - hosts: ["*.googleapis.com", "www.google.com"]
      ports: [{ port: 443, protocol: tls }]
    - cidrs: ["10.20.0.0/16"]
      ports: [{ port: 5432, protocol: tcp }]
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: mainframe, namespace: default }
spec:
  to:
    - cidrs: ["10.40.7.0/28"]
      ports: [{ port: 1414, endPort: 1420, protocol: tcp }]
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: production }
spec: { injection: required }
`;

const STATUS = JSON.stringify({
  status: {
    ...{ observedGeneration: 1, matchedPods: 3, appliedPods: 2, allowed: 40, refused: 7 },
    conditions: [
      {
        ...{ type: "Ready", status: "False", reason: "Behind", message: "2 of 3 pods have it" },
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
  },
});

describe("what kubectl shows of rules and boundaries", { skip: lackingApiServer() }, () => {
  let server: OwnApiServer;
  let commands: Commands;
  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    await takeKinds(commands);
    const { status, stderr } = await commands.kubectl(["apply", "-f", "-"], OBJECTS);
    assert.equal(status, 0, stderr);
    for (const which of ["egressrule/googleapis", "egressboundary/production"])
      await commands.kubectl([
        ...["patch", which, "--subresource=status", "--type=merge", "--patch", STATUS],
      ]);
  });
  after(() => server?.stop());

  /** Its columns, whatever the widths and ages. */
  const rows = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => line.replace(/\b\d+m?\d*s\b/, "AGE").split(/ {2,}/));

  test("kubectl get egressrules: where to, for how many pods, and how far they are", async () => {
    assert.deepEqual(rows(await commands.get("er")), [
      ["NAME", "HOSTS", "PORTS", "PODS", "APPLIED", "REFUSED", "READY", "AGE"],
      [
        ...["googleapis", '["*.googleapis.com","www.google.com"]', "443"],
        ...["3", "2", "7", "False", "AGE"],
      ],
      ["mainframe", "1414", "AGE"],
    ]);
  });

  test("with -o wide: why, and all that a rule permits", async () => {
    const [names, googleapis] = rows(await commands.get("er", "-o", "wide"));
    assert.deepEqual(names?.slice(-2), ["REASON", "TO"]);
    const [why, to] = googleapis?.slice(-2) ?? [];
    assert.equal(why, "2 of 3 pods have it");
    assert.match(to ?? "", /^\[.*"\*\.googleapis\.com".*"10\.20\.0\.0\/16".*\]$/);
  });

  test("kubectl get egressboundaries: what is demanded, whether it was written or not", async () => {
    assert.deepEqual(rows(await commands.get("eb")), [
      [
        ...["NAME", "MODE", "INJECTION", "NAMESPACES", "PODS", "APPLIED", "REFUSED", "READY"],
        ...["AGE"],
      ],
      ["production", "enforce", "required", "3", "2", "7", "False", "AGE"],
    ]);
  });

  test("kubectl get sallyport: both kinds", async () => {
    const names = (await commands.get("sallyport", "-o", "name")).trim().split("\n");
    assert.deepEqual(names, [
      "egressboundary.sallyport.dev/production",
      "egressrule.sallyport.dev/googleapis",
      "egressrule.sallyport.dev/mainframe",
    ]);
  });

  for (const [field, ...says] of [
    ["egressrule", "Permits connections of its own namespace's injected pods."],
    ["egressrule.spec", "-required- Where they may connect", "selector <Object>"],
    [
      "egressrule.spec.to",
      "Each has hosts, cidrs or both, and ports.",
      'hosts <[]string> Names: exact ones, or "*." and a suffix, which holds every name below the suffix and not the suffix itself.',
      "0.0.0.0/0 is the public internet.",
      "ports <[]Object> -required- On which ports, and what is spoken there.",
    ],
    ["er.spec.to.ports.protocol", "tcp: anything, matched by address and port"],
    ["er.spec.selector", "Absent or empty: every injected pod of the namespace."],
    ["egressboundary.spec", "Empty: no rule counts.", "Refused whatever else permits it."],
    ["eb.spec.deny.hosts", "Upper or lower case makes no difference"],
    ["eb.status.conditions", "Whether it is so: True, False or Unknown."],
  ] as const)
    test(`kubectl explain ${field} reads like documentation`, async () => {
      const { stdout } = await until(
        "its documentation",
        () => commands.kubectl(["explain", field]),
        // The API server publishes it a moment after the kind is there.
        ({ status }) => status === 0,
      );
      const text = stdout.replaceAll(/\s+/g, " ");
      for (const sentence of says) assert.ok(text.includes(sentence), `${sentence}\nin\n${stdout}`);
    });
});
