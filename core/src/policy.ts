import * as z from "zod";
import { type Cidr, parseCidr } from "./address.ts";
import { type PortRange, parsePortRange } from "./ports.ts";

/** One entry of the allow list, compiled. `rule` is the entry as its author wrote it: the name a verdict gives. */
export interface Destination {
  readonly rule: string;
  readonly cidr: Cidr;
  readonly ports: PortRange;
}

/**
 * `CIDR:PORTS` — `203.0.113.0/24:443`, `[2001:db8::/32]:8000-8100`, `192.0.2.7:*`. A bare address is a range of one.
 * An Error says what is wrong with the text and what was expected.
 */
export function parseDestination(text: string): Destination | Error {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (!match)
    return new Error(
      `"${text}" is not a destination: expected CIDR:PORTS, for example 203.0.113.0/24:443 or [2001:db8::/32]:443`,
    );
  const cidr = parseCidr(match[1] ?? match[2] ?? "");
  if (cidr instanceof Error) return cidr;
  const ports = parsePortRange(match[3] ?? "");
  if (ports instanceof Error) return ports;
  return { rule: text, cidr, ports };
}

const DestinationText = z.string().superRefine((text, context) => {
  const parsed = parseDestination(text);
  if (parsed instanceof Error) context.addIssue({ code: "custom", message: parsed.message });
});

/** The policy as it is written: audit lets everything pass and records it; enforce refuses what no entry covers. */
export const PolicySource = z.strictObject({
  mode: z.enum(["audit", "enforce"]),
  allow: z.array(DestinationText).default([]),
});
export type PolicySource = z.output<typeof PolicySource>;

export interface Policy {
  readonly mode: "audit" | "enforce";
  readonly allow: readonly Destination[];
}

/** Compiles what `PolicySource` has accepted; throws on a destination that it would have refused. */
export function compile(source: PolicySource): Policy {
  return {
    mode: source.mode,
    allow: source.allow.map((text) => {
      const destination = parseDestination(text);
      if (destination instanceof Error) throw destination;
      return destination;
    }),
  };
}
