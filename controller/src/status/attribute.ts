import type { ReportRow } from "@sallyport/core/delivery";
import type { Kind } from "./key.ts";

/** To whose account a decision goes. */
export interface Credit {
  readonly kind: Kind;
  /** `namespace/name` of a rule, the name of a boundary. */
  readonly name: string;
  readonly counter: "allowed" | "refused";
}

/** What permitted it, what refused it, or the rule that came closest; first hit wins. */
const CREDITS: readonly (readonly [
  reason: RegExp,
  kind: Kind,
  counter: Credit["counter"],
  by: "rule" | "nearest",
])[] = [
  [/^allowed\.rule$/, "EgressRule", "allowed", "rule"],
  [/^allowed\.baseline$/, "EgressBoundary", "allowed", "rule"],
  [/^denied\.(boundary|ceiling)$/, "EgressBoundary", "refused", "rule"],
  [/^(denied\.|revoked$)/, "EgressRule", "refused", "nearest"],
];

/**
 * Undefined where it is nobody's: into the cluster, passed by audit mode, a destination that failed, or a rule of another
 * namespace, of which a sidecar has nothing to say.
 */
export function creditOf(row: ReportRow, namespace: string): Credit | undefined {
  const found = CREDITS.find(([reason]) => reason.test(row.reason));
  if (!found) return undefined;
  const [, kind, counter, by] = found;
  const name = row[by];
  if (name === undefined) return undefined;
  if (kind === "EgressRule" && !name.startsWith(`${namespace}/`)) return undefined;
  return { kind, name, counter };
}

export function isRefusal({ verdict, reason }: ReportRow): boolean {
  return reason === "revoked" || (verdict === "deny" && reason.startsWith("denied."));
}
