import type { PolicySourceInput } from "@sallyport/core/policy-source";
import { API_VERSION, type Destination, type EgressRule } from "@sallyport/core/rules";
import { NAMESPACE, WORLD } from "./world.ts";

function rule(name: string, ...to: Destination[]): EgressRule {
  return { apiVersion: API_VERSION, kind: "EgressRule", metadata: { name }, spec: { to } };
}

const RULES = [
  rule(
    "api",
    {
      hosts: ["api.example.com", "inside.example.com"],
      ports: [
        { port: 443, protocol: "tls" },
        { port: 80, protocol: "http" },
      ],
    },
    { hosts: ["*.cdn.example.com"], ports: [{ port: 443, protocol: "tls" }] },
    { hosts: ["events.example.com"], ports: [{ port: 80, protocol: "http" }] },
  ),
  rule("secure", {
    hosts: ["secure.example.com", "misnamed.example.com"],
    ports: [{ port: 443, protocol: "https" }],
  }),
  rule("database", { hosts: ["db.example.com"], ports: [{ port: 5432, protocol: "tcp" }] }),
  rule(
    "partners",
    { hosts: [WORLD.partner.externalName], ports: [{ port: 80, protocol: "http" }] },
    { cidrs: ["192.0.2.0/24"], ports: [{ port: 1, endPort: 1_024, protocol: "tcp" }] },
    { cidrs: ["203.0.113.30/32"], ports: [{ port: 8_080, protocol: "tcp" }] },
    { cidrs: ["2001:db8::/64"], ports: [{ port: 1, endPort: 65_535, protocol: "tcp" }] },
  ),
];

/** The policy of the demo's sidecar, in a cluster with one Service of type ExternalName. */
export const POLICY = {
  mode: "enforce" as const,
  resolvers: [WORLD.resolver],
  cluster: { externalNames: [{ namespace: NAMESPACE, ...WORLD.partner }] },
  rules: RULES,
} satisfies PolicySourceInput;

/** What is added while the sidecar runs, and taken away again. */
export const LATER = rule("new", {
  hosts: ["new.example.com"],
  ports: [
    { port: 443, protocol: "tls" },
    { port: 9_000, protocol: "tcp" },
  ],
});
