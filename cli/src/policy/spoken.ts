import { inPorts } from "@sallyport/core/clause-ports";
import type { PolicySnapshot } from "@sallyport/core/snapshot";

/** What an app may speak, in the words of a rule; `tcp` is anything else. */
export const SPOKEN = ["tls", "http", "tcp"] as const;
export type Spoken = (typeof SPOKEN)[number];

const WELL_KNOWN: Readonly<Record<number, Spoken>> = { 443: "tls", 80: "http" };

/** What is likely to be spoken on a port: what everybody speaks there, otherwise what the policy speaks of there. */
export function spokenOn(snapshot: PolicySnapshot, port: number): readonly Spoken[] {
  const known = WELL_KNOWN[port];
  if (known) return [known];
  const { rules, baseline } = snapshot;
  const protocols = [...rules, ...baseline].flatMap(({ ports }) =>
    ports.filter((each) => inPorts(each, port)).map(({ protocol }) => protocol),
  );
  const spoken = protocols.map((protocol) => (protocol === "https" ? "tls" : protocol));
  return spoken.length > 0 ? [...new Set(spoken)] : ["tcp"];
}
