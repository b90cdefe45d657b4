import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, judgeBoundary } from "../../src/status/judge.ts";
import { boundaryOf, ruleOf, tls443 } from "./objects.ts";

const all = (protocol: string) => [{ port: 1, endPort: 65_535, protocol }];
const hosts = (...names: string[]) => ({ hosts: names, ports: tls443 });

const found = (to: object[], ...boundaries: object[]) =>
  judge(
    ruleOf("payments", { to }),
    boundaries.map((spec, i) => boundaryOf(`b${i}`, spec)),
  ).problems.map(({ code, path, boundary }) => `${code} ${path} ${boundary}`);

for (const [says, to, boundary, expected] of [
  ["a name under no boundary can be reached", [hosts("a.example")], {}, []],
  [
    "a name that no entry of a ceiling has cannot",
    [hosts("a.example", "b.example")],
    { allow: [hosts("a.example")] },
    ["outside_ceiling spec.to[0].hosts[1] b0"],
  ],
  [
    "a ceiling's wildcard holds names below it",
    [hosts("a.b.example")],
    { allow: [hosts("*.example")] },
    [],
  ],
  [
    "and not its own suffix",
    [hosts("b.example")],
    { allow: [hosts("*.b.example")] },
    ["outside_ceiling spec.to[0].hosts[0] b0"],
  ],
  [
    "of a rule's wildcard, some is left by an exact name",
    [hosts("*.example")],
    { allow: [hosts("a.example")] },
    [],
  ],
  [
    "on another port it cannot",
    [hosts("a.example")],
    { allow: [{ hosts: ["a.example"], ports: [{ port: 8443, protocol: "tls" }] }] },
    ["outside_ceiling spec.to[0].hosts[0] b0"],
  ],
  [
    "nor where the ceiling is for another protocol",
    [hosts("a.example")],
    { allow: [{ hosts: ["a.example"], ports: [{ port: 443, protocol: "http" }] }] },
    ["outside_ceiling spec.to[0].hosts[0] b0"],
  ],
  [
    "https leaves as TLS",
    [{ hosts: ["a.example"], ports: [{ port: 443, protocol: "https" }] }],
    { allow: [hosts("a.example")] },
    [],
  ],
  [
    "a ceiling without entries permits nothing",
    [hosts("a.example")],
    { allow: [] },
    ["outside_ceiling spec.to[0].hosts[0] b0"],
  ],
  [
    "a name may lead into a ceiling's public range",
    [hosts("a.example")],
    { allow: [{ cidrs: ["93.184.0.0/16"], ports: tls443 }] },
    [],
  ],
  [
    "and never, by itself, into a private one",
    [hosts("a.example")],
    { allow: [{ cidrs: ["10.0.0.0/8"], ports: tls443 }] },
    ["outside_ceiling spec.to[0].hosts[0] b0"],
  ],
  [
    "every public address reaches nothing of a private range",
    [{ cidrs: ["0.0.0.0/0"], ports: tls443 }],
    { allow: [{ cidrs: ["10.0.0.0/8"], ports: tls443 }] },
    ["outside_ceiling spec.to[0].cidrs[0] b0"],
  ],
  [
    "a range that lies in it does",
    [{ cidrs: ["10.20.0.0/16"], ports: tls443 }],
    { allow: [{ cidrs: ["10.0.0.0/8"], ports: tls443 }] },
    [],
  ],
  [
    "a denied name cannot be reached, whatever is spoken",
    [hosts("paste.example"), hosts("a.example")],
    { deny: [{ hosts: ["*.example"], ports: all("tls") }], baseline: [] },
    ["denied spec.to[0].hosts[0] b0", "denied spec.to[1].hosts[0] b0"],
  ],
  [
    "one that is denied on some ports only can",
    [{ hosts: ["a.example"], ports: [{ port: 443, endPort: 445, protocol: "tls" }] }],
    { deny: [{ hosts: ["a.example"], ports: [{ port: 443, endPort: 444, protocol: "tls" }] }] },
    [],
  ],
  [
    "ports that are denied one by one are denied",
    [{ hosts: ["a.example"], ports: [{ port: 443, endPort: 445, protocol: "tls" }] }],
    {
      deny: [
        { hosts: ["a.example"], ports: [{ port: 445, protocol: "tls" }] },
        { hosts: ["a.example"], ports: [{ port: 443, endPort: 444, protocol: "tls" }] },
      ],
    },
    ["denied spec.to[0].hosts[0] b0"],
  ],
  [
    "with a port between them that is not, it is not",
    [{ hosts: ["a.example"], ports: [{ port: 443, endPort: 445, protocol: "tls" }] }],
    {
      deny: [
        { hosts: ["a.example"], ports: [{ port: 443, protocol: "tls" }] },
        { hosts: ["a.example"], ports: [{ port: 445, protocol: "tls" }] },
      ],
    },
    [],
  ],
  [
    "a wildcard of which one name is denied is not",
    [hosts("*.example")],
    { deny: [{ hosts: ["a.example"], ports: all("tls") }] },
    [],
  ],
  [
    "a range within a denied one is denied",
    [{ cidrs: ["169.254.169.254/32"], ports: [{ port: 80, protocol: "tcp" }] }],
    { deny: [{ cidrs: ["169.254.0.0/16"], ports: all("tcp") }] },
    ["denied spec.to[0].cidrs[0] b0"],
  ],
  [
    "a name that is denied at some addresses is not denied at others",
    [hosts("a.example")],
    { deny: [{ hosts: ["a.example"], cidrs: ["10.0.0.0/8"], ports: all("tls") }] },
    [],
  ],
] as const)
  test(says, () => {
    assert.deepEqual(found([...to], boundary), expected);
  });

test("what is refused says the place, the ports and the boundary", () => {
  const { problems, permitsNothing } = judge(
    ruleOf("payments", {
      to: [
        {
          hosts: ["a.example"],
          ports: [
            ...tls443,
            { port: 80, endPort: 81, protocol: "http" },
            { port: 22, protocol: "tcp" },
          ],
        },
      ],
    }),
    [boundaryOf("production", { allow: [{ hosts: ["a.example"], ports: tls443 }] })],
  );
  assert.deepEqual(
    problems.map(({ path, message }) => `${path}: ${message}`),
    [
      "spec.to[0].hosts[0]: a.example, ports 80-81 (http), 22 (tcp): boundary production allows nothing of it",
    ],
  );
  assert.equal(permitsNothing, false);
});

test("a rule of which nothing is left permits nothing; of one boundary that audits, nothing is enforced", () => {
  const rule = ruleOf("payments", { to: [hosts("a.example")] });
  const closed = (mode: string) => boundaryOf(mode, { mode, allow: [] });
  assert.equal(judge(rule, [closed("enforce")]).permitsNothing, true);
  assert.equal(judge(rule, [closed("audit")]).mode, "audit");
  assert.equal(judge(rule, [closed("audit"), closed("enforce")]).mode, "enforce");
});

test("a rule for no pod is told by its selector", () => {
  const rule = ruleOf("payments", {
    selector: { matchLabels: { app: "checkuot" } },
    to: [hosts("a.example")],
  });
  const codes = (labels: Record<string, string>[]) =>
    judge(rule, [], labels).problems.map(({ code, path }) => `${code} ${path}`);
  assert.deepEqual(codes([{ app: "checkout" }]), ["no_pods spec.selector"]);
  assert.deepEqual(codes([{ app: "checkuot" }]), []);
});

test("what another boundary over the same namespaces leaves without effect", () => {
  const boundary = boundaryOf("a", {
    mode: "audit",
    allow: [hosts("*.example")],
    deny: [hosts("own.example")],
    baseline: [hosts("telemetry.example", "own.example")],
  });
  const other = boundaryOf("b", {
    allow: [hosts("other.test")],
    deny: [hosts("telemetry.example")],
  });
  assert.deepEqual(
    judgeBoundary(boundary, [{ boundary: other, namespaces: 2 }]).map(
      ({ path, message }) => `${path}: ${message}`,
    ),
    [
      "spec.baseline[0].hosts[1]: own.example, port 443 (tls): it denies this itself",
      "spec.baseline[0].hosts[0]: telemetry.example, port 443 (tls): boundary b denies it (2 namespaces in common)",
      "spec.allow: it has nothing in common with what boundary b allows (2 namespaces in common): no rule counts there",
      "spec.mode: audit has no effect where boundary b enforces (2 namespaces in common)",
    ],
  );
});
