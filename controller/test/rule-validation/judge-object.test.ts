import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EgressBoundary } from "@sallyport/core/rules";
import type { JsonObject } from "../../src/admission/admission.ts";
import { judgeBoundaryObject, judgeRule } from "../../src/rule-validation/judge-object.ts";

const TLS = [{ port: 443, protocol: "tls" }];
const TCP = [{ port: 5432, protocol: "tcp" }];

const ofKind = (kind: string, spec: JsonObject): JsonObject => ({
  ...{ apiVersion: "sallyport.dev/v1alpha1", kind, spec },
  metadata: { name: "it", namespace: "shop", uid: "1", managedFields: [] },
});
const rule = (spec: JsonObject) => ofKind("EgressRule", spec);

describe("a rule that cannot be used is refused with the field, the value and the fix of every mistake", () => {
  for (const [spec, ...lines] of [
    [
      { to: [{ cidrs: ["10.20.1.0/16"], ports: TCP }] },
      'spec.to[0].cidrs[0]: "10.20.1.0/16" has host bits set: write 10.20.0.0/16 for the range, or 10.20.1.0/32 for the one address',
    ],
    [
      { to: [{ hosts: ["bücher.example"], ports: TLS }] },
      'spec.to[0].hosts[0]: "bücher.example" is not a host: write it in A-labels: xn--bcher-kva.example',
    ],
    [
      { to: [{ hosts: ["https://api.example.com/v1", "api.example.com:443"], ports: TLS }] },
      'spec.to[0].hosts[0]: "https://api.example.com/v1" is not a host: expected a name alone, without scheme or path',
      'spec.to[0].hosts[1]: "api.example.com:443" is not a host: expected a name alone; its port belongs in ports',
    ],
    [
      {
        selector: { matchExpressions: [{ key: "app", operator: "In" }] },
        to: [
          { hosts: ["10.0.0.1"], ports: [{ port: 90, endPort: 80, protocol: "tls" }] },
          { ports: [{ port: 0, protocol: "udp" }] },
        ],
        egress: [],
      },
      "spec.selector.matchExpressions[0].values: In needs at least one value",
      'spec.to[0].hosts[0]: "10.0.0.1" is not a host: it is an address; write it in cidrs, as 10.0.0.1/32',
      "spec.to[0].ports[0].endPort: 80 is below port 90: expected the last port of the range",
      "spec.to[1].ports[0].port: Too small: expected number to be >=1, found 0",
      'spec.to[1].ports[0].protocol: Invalid option: expected one of "tls"|"http"|"https"|"tcp", found "udp"',
      "spec.to[1]: expected hosts, cidrs or both",
      'spec: Unrecognized key: "egress"',
    ],
  ] as const)
    test(lines[0], () => {
      const admission = judgeRule(rule(spec), []);
      const message = `this EgressRule cannot be used:\n${lines.map((line) => `  ${line}`).join("\n")}`;
      assert.deepEqual(admission, { allowed: false, message, warnings: [] });
    });

  test("of very many mistakes the first are told, and how many there are more", () => {
    const admission = judgeRule(rule({ to: [{ hosts: Array(100).fill("*"), ports: TLS }] }), []);
    assert.ok(!admission.allowed);
    assert.equal(admission.message.split("\n").length, 34);
    assert.match(admission.message, /\n {2}and 68 more$/);
  });
});

const boundary = (name: string, spec: Partial<EgressBoundary["spec"]>): EgressBoundary => ({
  ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary", metadata: { name } },
  spec: { mode: "enforce", injection: "optional", ...spec },
});

describe("a rule that is legal and odd is let through with a warning", () => {
  const to = [{ hosts: ["api.example.com"], ports: TLS }];
  for (const [what, spec, warnings] of [
    ["what is ordinary", { selector: { matchLabels: { app: "web" } }, to }, []],
    [
      "a label that nothing can have",
      { selector: { matchLabels: { app: "web shop" } }, to },
      ['spec.selector: it selects nothing: "web shop" cannot be the value of a label'],
    ],
    [
      "requirements that contradict each other",
      {
        selector: {
          matchLabels: { app: "web" },
          matchExpressions: [
            { key: "app", operator: "In", values: ["api", "shop"] },
            { key: "tier", operator: "Exists" },
            { key: "tier", operator: "DoesNotExist" },
          ],
        },
        to,
      },
      [
        'spec.selector: it selects nothing: label "app" can have no value that satisfies all that is said of it',
        'spec.selector: it selects nothing: label "tier" would have to be there and not be there',
      ],
    ],
    [
      "requirements that only look as if they did",
      {
        selector: {
          matchExpressions: [
            { key: "app", operator: "In", values: ["api", "shop"] },
            { key: "app", operator: "NotIn", values: ["api"] },
            { key: "web shop", operator: "DoesNotExist" },
          ],
        },
        to,
      },
      [],
    ],
    [
      "a CIDR that holds special ranges without reaching them",
      { to: [{ cidrs: ["8.0.0.0/6"], ports: TCP }] },
      [
        "spec.to[0].cidrs[0]: 8.0.0.0/6 does not reach 10.0.0.0/8, private (RFC 1918): only a CIDR that lies wholly inside such a range does",
      ],
    ],
    ["the public internet", { to: [{ cidrs: ["0.0.0.0/0", "::/0"], ports: TCP }] }, []],
    ["a private range", { to: [{ cidrs: ["10.0.0.0/8"], ports: TCP }] }, []],
  ] as const)
    test(what, () => {
      const admission = judgeRule(rule(spec as unknown as JsonObject), []);
      assert.deepEqual(admission, { allowed: true, patch: [], warnings });
    });

  test("hosts that a boundary denies, or that are under no entry of a ceiling", () => {
    const boundaries = [
      boundary("paste", {
        deny: [
          {
            hosts: ["*.paste.example"],
            ports: [{ port: 1, endPort: 65_535, protocol: "tls" }],
          },
        ],
      }),
      boundary("ceiling", {
        allow: [{ hosts: ["*.example"], ports: [{ port: 443, protocol: "tls" }] }],
      }),
    ];
    const hosts = ["a.paste.example", "www.example.com", "www.example"];
    const { allowed, warnings } = judgeRule(rule({ to: [{ hosts, ports: TLS }] }), boundaries);
    assert.ok(allowed);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? "", /^spec\.to\[0\]\.hosts\[0\]: .*boundary paste denies it/);
    assert.match(
      warnings[1] ?? "",
      /^spec\.to\[0\]\.hosts\[1\]: .*boundary ceiling allows nothing/,
    );
  });
});

test("a boundary is judged alike, and its denials may hold special ranges", () => {
  const bad = judgeBoundaryObject(
    ofKind("EgressBoundary", { mode: "warn", deny: [{ hosts: ["*"], ports: TLS }] }),
  );
  assert.deepEqual(bad.allowed ? "" : bad.message.split("\n"), [
    "this EgressBoundary cannot be used:",
    '  spec.mode: Invalid option: expected one of "enforce"|"audit", found "warn"',
    '  spec.deny[0].hosts[0]: "*" is no host: for any public destination write cidrs: ["0.0.0.0/0", "::/0"]',
  ]);
  const wide = [{ cidrs: ["8.0.0.0/6"], ports: [{ port: 443, protocol: "tcp" }] }];
  const { allowed, warnings } = judgeBoundaryObject(
    ofKind("EgressBoundary", { deny: wide, allow: wide }),
  );
  assert.ok(allowed);
  assert.deepEqual(
    warnings.map((text) => text.split(":")[0]),
    ["spec.allow[0].cidrs[0]"],
  );
});

test("a rule as large as the API takes, under a boundary as large, is judged at once: what is compared is bounded", () => {
  const many = (count: number, name: string) =>
    Array.from({ length: count }, (_, i) => `*.${name}-${i}.example`);
  const ports = Array.from({ length: 32 }, (_, i) => ({ port: i + 1, protocol: "tls" as const }));
  const list = (name: string) => Array(64).fill({ hosts: many(256, name), ports });
  const started = performance.now();
  const { allowed } = judgeRule(rule({ to: list("a") }), [boundary("wide", { allow: list("b") })]);
  assert.ok(allowed);
  // It would take minutes.
  assert.ok(performance.now() - started < 10_000);
});
