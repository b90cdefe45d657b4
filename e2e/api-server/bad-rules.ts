import type { JsonObject } from "@sallyport/controller/admission/admission";

/** An object that nobody should be able to write. */
export interface BadObject {
  readonly what: string;
  readonly kind: "EgressRule" | "EgressBoundary";
  readonly spec: JsonObject;
  /** What whoever writes it is told, each in a line of its own. */
  readonly told: readonly string[];
}

const TLS = [{ port: 443, protocol: "tls" }];
const rule = (what: string, spec: JsonObject, ...told: readonly string[]): BadObject => ({
  ...{ what, kind: "EgressRule", spec, told },
});
const to = (entry: JsonObject) => ({ to: [{ ports: TLS, ...entry }] });

/** By the kinds' own schemas, whether or not a controller answers. */
export const BY_SCHEMA: readonly BadObject[] = [
  rule("without destinations", {}, "spec.to: Required value"),
  rule("with an empty list", { to: [] }, "spec.to in body should have at least 1 items"),
  rule(
    "with neither hosts nor cidrs",
    { to: [{ ports: TLS }] },
    "spec.to[0]: Invalid value: expected hosts, cidrs or both",
  ),
  rule("without ports", { to: [{ hosts: ["a.example"] }] }, "spec.to[0].ports: Required value"),
  rule(
    "for any host",
    to({ hosts: ["*"] }),
    'spec.to[0].hosts[0]: Invalid value: "*" is no host: for any public destination write cidrs: ["0.0.0.0/0", "::/0"]',
  ),
  rule(
    "with a wildcard inside a name",
    to({ hosts: ["www.example.com", "www.*.example.com", "*.*.example.com", "*example.com"] }),
    ...["www.*.example.com", "*.*.example.com", "*example.com"].map(
      (host, i) =>
        `spec.to[0].hosts[${i + 1}]: Invalid value: "${host}" is not a host: a wildcard stands for whole labels at the front only, as in *.example.com`,
    ),
  ),
  rule(
    "with a wildcard where bytes are opaque",
    { to: [{ hosts: ["*.db.example"], ports: [{ port: 5432, protocol: "tcp" }] }] },
    "spec.to[0].ports: Invalid value: tcp cannot be matched against *.db.example: opaque bytes carry no name; write the exact names, or tls or http where that is what is spoken",
  ),
  rule(
    "with a name for a CIDR",
    to({ cidrs: ["db.example"] }),
    'spec.to[0].cidrs[0]: Invalid value: "db.example" is not a CIDR: expected for example 10.0.0.0/8 or 2001:db8::/32',
  ),
  rule(
    "with a range of ports that ends before it begins",
    to({ hosts: ["a.example"], ports: [{ port: 90, endPort: 80, protocol: "tls" }] }),
    "spec.to[0].ports[0].endPort: Invalid value: endPort is below port: expected the last port of the range",
  ),
  rule(
    "with a port and a protocol that there are not",
    to({ hosts: ["a.example"], ports: [{ port: 0, protocol: "udp" }] }),
    'spec.to[0].ports[0].protocol: Unsupported value: "udp": supported values: "tls", "http", "https", "tcp"',
    "spec.to[0].ports[0].port in body should be greater than or equal to 1",
  ),
  rule(
    "with a selector that cannot be meant",
    {
      ...to({ hosts: ["a.example"] }),
      selector: {
        matchExpressions: [
          { key: "app", operator: "In" },
          { key: "app", operator: "Exists", values: ["x"] },
        ],
      },
    },
    "spec.selector.matchExpressions[0].values: Invalid value: In needs at least one value",
    "spec.selector.matchExpressions[1].values: Invalid value: Exists takes no values: remove them",
  ),
  rule(
    "with a field that there is not",
    { slector: { matchLabels: { app: "web" } }, ...to({ hosts: ["a.example"] }) },
    'unknown field "spec.slector"',
  ),
  {
    what: "of another mode, injection and annotation",
    kind: "EgressBoundary",
    spec: { mode: "warn", injection: "always", workloadOverrides: ["all"] },
    told: [
      'spec.mode: Unsupported value: "warn": supported values: "enforce", "audit"',
      'spec.injection: Unsupported value: "always": supported values: "optional", "required"',
      'spec.workloadOverrides[0]: Unsupported value: "all"',
    ],
  },
  {
    what: "whose three lists are each wrong",
    kind: "EgressBoundary",
    spec: Object.fromEntries(
      ["allow", "deny", "baseline"].map((list) => [list, [{ hosts: ["*"], ports: TLS }]]),
    ),
    told: ["allow", "deny", "baseline"].map(
      (list) => `spec.${list}[0].hosts[0]: Invalid value: "*" is no host`,
    ),
  },
];

/** Nothing but code can tell: by the webhook. */
export const BY_WEBHOOK: readonly BadObject[] = [
  rule(
    "with host bits, another way to write an address, and a length that there is not",
    to({ cidrs: ["10.20.1.0/16", "010.0.0.0/8", "10.0.0.0/33", "::ffff:10.0.0.1/104"] }),
    'spec.to[0].cidrs[0]: "10.20.1.0/16" has host bits set: write 10.20.0.0/16 for the range, or 10.20.1.0/32 for the one address',
    'spec.to[0].cidrs[1]: "010.0.0.0/8" is not a CIDR: expected for example 10.0.0.0/8 or 2001:db8::/32',
    'spec.to[0].cidrs[2]: "10.0.0.0/33" is not a CIDR: expected a prefix length from 0 to 32',
    'spec.to[0].cidrs[3]: "::ffff:10.0.0.1/104" has host bits set: write 10.0.0.0/8 for the range, or 10.0.0.1/32 for the one address',
  ),
  rule(
    "with what is no DNS name",
    to({ hosts: ["bücher.example", "10.0.0.1", "https://a.example/", "a.example:443", "a b"] }),
    'spec.to[0].hosts[0]: "bücher.example" is not a host: write it in A-labels: xn--bcher-kva.example',
    'spec.to[0].hosts[1]: "10.0.0.1" is not a host: it is an address; write it in cidrs, as 10.0.0.1/32',
    'spec.to[0].hosts[2]: "https://a.example/" is not a host: expected a name alone, without scheme or path',
    'spec.to[0].hosts[3]: "a.example:443" is not a host: expected a name alone; its port belongs in ports',
    'spec.to[0].hosts[4]: "a b" is not a host: expected a DNS name such as www.example.com or *.example.com',
  ),
  {
    what: "whose three lists are each wrong",
    kind: "EgressBoundary",
    spec: Object.fromEntries(
      ["allow", "deny", "baseline"].map((list) => [list, [{ cidrs: ["10.0.0.1/8"], ports: TLS }]]),
    ),
    told: ["allow", "deny", "baseline"].map(
      (list) => `spec.${list}[0].cidrs[0]: "10.0.0.1/8" has host bits set: write 10.0.0.0/8`,
    ),
  },
];

export function manifestOf({ kind, spec }: Pick<BadObject, "kind" | "spec">, namespace: string) {
  const place = kind === "EgressRule" ? { namespace } : {};
  return {
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind, spec },
    metadata: { name: "written-by-a-test", ...place },
  };
}
