import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answers, Attempt, Decision, Seen } from "../src/decision.ts";
import { evaluate } from "../src/evaluate.ts";
import { Policy } from "../src/policy.ts";
import { PolicySource, type PolicySourceInput, snapshotOf } from "../src/policy-source.ts";
import { API_VERSION, type Destination } from "../src/rules.ts";

/** How the tables of these tests are written: policies, attempts and decisions in a line each. */
export interface Lists {
  readonly rules?: readonly Destination[];
  readonly allow?: readonly Destination[];
  readonly deny?: readonly Destination[];
  readonly baseline?: readonly Destination[];
  readonly cluster?: PolicySourceInput["cluster"];
  readonly mode?: "audit" | "enforce";
}

/** `a.test,10.0.0.0/8 443 tls` is one destination: hosts and CIDRs, then ports or a range, then what is spoken. */
export function to(text: string): Destination {
  const [what = "", ports = "", protocol = ""] = text.split(" ");
  const parts = what.split(",");
  const cidrs = parts.filter((part) => part.includes("/"));
  const hosts = parts.filter((part) => !part.includes("/"));
  const [port, endPort] = ports.split("-").map(Number);
  return {
    ...(hosts.length > 0 && { hosts }),
    ...(cidrs.length > 0 && { cidrs }),
    ports: [
      {
        port: port ?? 0,
        ...(endPort && { endPort }),
        protocol: protocol as Destination["ports"][number]["protocol"],
      },
    ],
  };
}

/** One rule and, where a list of one is given, one boundary, `guard`. */
export function sourceOf({ rules = [], cluster, mode = "enforce", ...lists }: Lists): PolicySource {
  const spec = Object.entries(lists);
  return PolicySource.parse({
    mode,
    pod: { namespace: "shop" },
    rules:
      rules.length === 0
        ? []
        : [
            {
              ...{ apiVersion: API_VERSION, kind: "EgressRule", metadata: { name: "rule" } },
              spec: { to: rules },
            },
          ],
    boundaries:
      spec.length === 0
        ? []
        : [
            {
              ...{ apiVersion: API_VERSION, kind: "EgressBoundary", metadata: { name: "guard" } },
              spec: { mode, ...Object.fromEntries(spec) },
            },
          ],
    ...(cluster && { cluster }),
    resolvers: ["10.96.0.10"],
  });
}

export function policyOf(lists: Lists): Policy {
  return new Policy(snapshotOf(sourceOf(lists)));
}

/** What the proxy has resolved: every name of the table, and no other. */
export function answersOf(
  policy: Policy,
  table: Readonly<Record<string, readonly string[]>>,
): Answers {
  return {
    addressesOf: (name) => (Object.hasOwn(table, name) ? table[name] : undefined),
    namesOf: (address) => policy.tcpNames.filter((name) => table[name]?.includes(address)),
  };
}

/**
 * `sni NAME`, `host NAME`, `tls`, `http`, `opaque`, `silent`, `invalid TEXT` (an SNI), `astray TEXT` (a Host), `malformed
 * TEXT` (TLS); empty where nobody has looked.
 */
export function seenOf(text: string): Seen | undefined {
  const [word, rest = ""] = text.split(/ (.*)/);
  switch (word) {
    case "":
      return undefined;
    case "sni":
      return { protocol: "tls", name: rest };
    case "host":
      return { protocol: "http", name: rest };
    case "invalid":
      return { protocol: "tls", invalidName: rest };
    case "astray":
      return { protocol: "http", invalidName: rest };
    case "malformed":
      return { protocol: "tls", malformed: rest };
    default:
      return { protocol: word as Seen["protocol"] };
  }
}

/** `203.0.113.7:443` or `[::1]:443`, then what was seen. */
export function attemptOf(text: string, answers?: Answers): Attempt {
  const [, bracketed, plain, port, said = ""] =
    /^(?:\[([^\]]*)\]|([^ ]*)):(\d+) ?(.*)$/.exec(text) ?? assert.fail(text);
  const seen = seenOf(said);
  return { address: bracketed ?? plain ?? "", port: Number(port), seen, answers };
}

/** `allowed.rule → 203.0.113.7, as TLS, for a.test`, `denied.no_rule`, `denied.boundary by guard`, `needs_name`, `needs_addresses a.test`. */
export function inWords(decision: Decision): string {
  switch (decision.verdict) {
    case "allow":
      return [
        `${decision.reason} → ${decision.dial.join(", ")}`,
        ...(decision.port === undefined ? [] : [`on ${decision.port}`]),
        ...(decision.originate ? ["as TLS"] : []),
        ...(decision.externalName === undefined ? [] : [`for ${decision.externalName}`]),
        ...(decision.wouldBe ? [`would be ${inWords(decision.wouldBe)}`] : []),
      ].join(", ");
    case "deny":
      return decision.boundary === undefined
        ? decision.reason
        : `${decision.reason} by ${decision.boundary}`;
    case "needs_addresses":
      return `needs_addresses ${decision.names.join(", ")}`;
    default:
      return decision.verdict;
  }
}

/** A test for each row: an attempt, and what comes of it. */
export function table(
  title: string,
  lists: Lists,
  resolved: Readonly<Record<string, readonly string[]>>,
  rows: readonly (readonly [attempt: string, decision: string, why?: string])[],
): void {
  const policy = policyOf(lists);
  for (const [attempt, expected, why] of rows)
    test(`${title}: ${attempt} is ${expected}${why ? `, ${why}` : ""}`, () => {
      const decision = evaluate(policy, attemptOf(attempt, answersOf(policy, resolved)));
      assert.equal(inWords(decision), expected);
    });
}
