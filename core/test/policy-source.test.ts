import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { PolicySource } from "../src/policy-source.ts";
import { API_VERSION } from "../src/rules.ts";

const tls = [{ port: 443, protocol: "tls" }];
const rule = (to: unknown, more: object = {}) => ({
  ...{ apiVersion: API_VERSION, kind: "EgressRule", metadata: { name: "one" } },
  spec: { to, ...more },
});
const boundary = (spec: unknown) => ({
  ...{ apiVersion: API_VERSION, kind: "EgressBoundary", metadata: { name: "guard" } },
  spec,
});

/** `path: message`, every one. */
function mistakes(source: unknown): string[] {
  const { error } = PolicySource.safeParse(source);
  return (error?.issues ?? []).map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`);
}

function expectMistakes(source: unknown, ...expected: readonly RegExp[]): void {
  const found = mistakes(source);
  const text = found.join("\n");
  for (const one of expected) assert.match(text, one);
  assert.equal(found.length, expected.length, text);
}

test("every mistake of a file is reported at once, each with its path and what would be right", () => {
  expectMistakes(
    {
      mode: "open",
      resolvers: ["10.96.0.10", "dns.example.com", "10.96.0.10:0"],
      pod: { namespace: "shop", label: {} },
      rules: [
        rule([
          { hosts: ["*", "bücher.example", "10.0.0.1", "a.test:443"], ports: tls },
          {
            cidrs: ["10.0.0.1/8", "10.0.0.0/33"],
            ports: [{ port: 443, endPort: 80, protocol: "tcp" }],
          },
          { hosts: ["*.a.test"], ports: [{ port: 5432, protocol: "tcp" }] },
          { ports: tls },
          { host: ["a.test"], cidrs: ["10.0.0.0/8"], ports: [] },
        ]),
        { ...rule([{ hosts: ["a.test"], ports: [{ port: 0, protocol: "udp" }] }]), kind: "Rule" },
        rule([], { selector: { matchExpressions: [{ key: "app", operator: "In" }] } }),
      ],
      boundaries: [
        boundary({ allow: [{ hosts: ["*.*.a.test"], ports: tls }], mod: "audit" }),
        boundary({ deny: [{ cidrs: ["::1/127"], ports: tls }] }),
      ],
      cluster: {
        ranges: ["10.96.0.1/12"],
        endpoints: [{ address: "10.0.0.0/8", port: 443 }],
        domain: "cluster local",
        externalNames: [
          { namespace: "shop", name: "httpbin", externalName: "httpbin.org" },
          { namespace: "Shop", name: "http.bin", externalName: "", port: 80 },
          { namespace: "shop", name: "httpbin", externalName: "a.test" },
        ],
      },
      rule: [],
    },
    /^mode: .*"audit"\|"enforce"$/m,
    /^resolvers\[1\]: expected an address/m,
    /^resolvers\[2\]: expected an address/m,
    /^pod: Unrecognized key: "label"$/m,
    /^rules\[0\]\.spec\.to\[0\]\.hosts\[0\]: "\*" is no host: .*write cidrs/m,
    /^rules\[0\]\.spec\.to\[0\]\.hosts\[1\]: .*A-labels: xn--bcher-kva\.example$/m,
    /^rules\[0\]\.spec\.to\[0\]\.hosts\[2\]: .*in cidrs, as 10\.0\.0\.1\/32$/m,
    /^rules\[0\]\.spec\.to\[0\]\.hosts\[3\]: .*its port belongs in ports$/m,
    /^rules\[0\]\.spec\.to\[1\]\.cidrs\[0\]: .*host bits set: write 10\.0\.0\.0\/8/m,
    /^rules\[0\]\.spec\.to\[1\]\.cidrs\[1\]: .*prefix length from 0 to 32$/m,
    /^rules\[0\]\.spec\.to\[1\]\.ports\[0\]\.endPort: 80 is below port 443/m,
    /^rules\[0\]\.spec\.to\[2\]\.ports\[0\]\.protocol: tcp cannot be matched against \*\.a\.test/m,
    /^rules\[0\]\.spec\.to\[3\]: expected hosts, cidrs or both$/m,
    /^rules\[0\]\.spec\.to\[4\]\.ports: Too small/m,
    /^rules\[0\]\.spec\.to\[4\]: Unrecognized key: "host"$/m,
    /^rules\[1\]\.kind: .*"EgressRule"$/m,
    /^rules\[1\]\.spec\.to\[0\]\.ports\[0\]\.port: Too small/m,
    /^rules\[1\]\.spec\.to\[0\]\.ports\[0\]\.protocol: .*"tls"\|"http"\|"https"\|"tcp"$/m,
    /^rules\[2\]\.spec\.selector\.matchExpressions\[0\]\.values: In needs at least one value$/m,
    /^rules\[2\]\.spec\.to: Too small/m,
    /^boundaries\[0\]\.spec\.allow\[0\]\.hosts\[0\]: .*whole labels at the front only/m,
    /^boundaries\[0\]\.spec: Unrecognized key: "mod"$/m,
    /^boundaries\[1\]\.spec\.deny\[0\]\.cidrs\[0\]: .*host bits set: write ::\/127/m,
    /^cluster\.ranges\[0\]: .*host bits set: write 10\.96\.0\.0\/12/m,
    /^cluster\.endpoints\[0\]\.address: expected an address/m,
    /^cluster\.domain: expected the DNS domain of the cluster, such as cluster\.local$/m,
    /^cluster\.externalNames\[1\]\.namespace: expected one label/m,
    /^cluster\.externalNames\[1\]\.name: expected one label/m,
    /^cluster\.externalNames\[1\]\.externalName: Too small/m,
    /^cluster\.externalNames\[1\]: Unrecognized key: "port"$/m,
    /^cluster\.externalNames\[2\]: shop\/httpbin is in externalNames\[0\], too/m,
    /^: Unrecognized key: "rule"$/m,
  );
});

test("a name needs a resolver, and that is said beside other mistakes", () => {
  const named = { hosts: ["a.test"], ports: tls };
  const none = /hosts: names are resolved by the sidecar itself.*add resolvers/;
  expectMistakes(
    {
      rules: [rule([{ cidrs: ["10.0.0.0/8"], ports: tls }, named])],
      boundaries: [boundary({ deny: [named] })],
    },
    new RegExp(`^rules\\[0\\]\\.spec\\.to\\[1\\]\\.${none.source}`, "m"),
    new RegExp(`^boundaries\\[0\\]\\.spec\\.deny\\[0\\]\\.${none.source}`, "m"),
  );
  expectMistakes(
    { mode: "open", rules: [rule([named]), 1], more: true },
    /^mode: /m,
    /^: Unrecognized key: "more"/m,
    /^rules\[1\]: /m,
    new RegExp(`^rules\\[0\\]\\.spec\\.to\\[0\\]\\.${none.source}`, "m"),
  );
});

test("a destination's mistakes of meaning are reported beside those of form", () => {
  expectMistakes(
    {
      resolvers: ["10.96.0.10"],
      rules: [
        rule([
          {
            hosts: ["*.a.test"],
            ports: [
              { port: 1, protocol: "tcp" },
              { port: 2, protocol: "udp" },
            ],
            prots: [],
          },
          { ports: [{ port: "443", protocol: "tls", endPort: 1 }] },
        ]),
      ],
    },
    /to\[0\]\.ports\[0\]\.protocol: tcp cannot be matched/,
    /to\[0\]\.ports\[1\]\.protocol: /,
    /to\[0\]: Unrecognized key: "prots"/,
    /to\[1\]: expected hosts, cidrs or both/,
    /to\[1\]\.ports\[0\]\.port: /,
  );
});

test("nothing at all is a policy: of the default namespace, in audit mode", () => {
  const source = PolicySource.parse({});
  assert.deepEqual(source, {
    mode: "audit",
    pod: { namespace: "default", labels: {}, namespaceLabels: {} },
    rules: [],
    boundaries: [],
    cluster: {
      ...{ ranges: [], nodes: [], endpoints: [] },
      ...{ domain: "cluster.local", externalNames: [], leadingOut: [] },
    },
    resolvers: [],
  });
});

for (const [text, isOne] of [
  ["10.96.0.10", true],
  ["10.96.0.10:53", true],
  ["10.96.0.10:65535", true],
  ["fd00::a", true],
  ["[fd00::a]", true],
  ["[fd00::a]:5353", true],
  ["10.96.0.10:65536", false],
  ["10.96.0.10:", false],
  ["[fd00::a", false],
  ["fd00::g", false],
  ["dns", false],
  ["", false],
] as const)
  test(`"${text}" is ${isOne ? "a" : "no"} resolver`, () =>
    assert.equal(PolicySource.safeParse({ resolvers: [text] }).success, isOne));

test("a Service that leads out is told of once, with each of its ports and cluster IPs once", () => {
  const endpoints = [{ address: "203.0.113.7", port: 5432 }];
  const db = { namespace: "shop", name: "db" };
  const ports = [{ port: 5432, endpoints }];
  expectMistakes(
    {
      cluster: {
        leadingOut: [
          { ...db, addresses: ["10.96.7.7", "fd00::7"], ports },
          { ...db, addresses: ["fd00:0::7"], ports },
          { ...db, name: "api", addresses: ["None"], ports: [...ports, ...ports] },
          { ...db, name: "Api", addresses: [], ports: [{ port: 0, endpoints: ["203.0.113.7"] }] },
        ],
      },
    },
    /^cluster\.leadingOut\[1\]: shop\/db is in leadingOut\[0\], too/m,
    /^cluster\.leadingOut\[1\]: fd00::7 is in leadingOut\[0\], too/m,
    /^cluster\.leadingOut\[2\]\.addresses\[0\]: expected an address/m,
    /^cluster\.leadingOut\[2\]\.ports: port 5432 is there twice/m,
    /^cluster\.leadingOut\[3\]\.name: expected one label/m,
    /^cluster\.leadingOut\[3\]\.ports\[0\]\.port: /m,
    /^cluster\.leadingOut\[3\]\.ports\[0\]\.endpoints\[0\]: /m,
  );
});
