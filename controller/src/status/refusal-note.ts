import type { ReportRow } from "@sallyport/core/delivery";
import { REASONS, type Reason } from "@sallyport/core/reasons";
import { plainText } from "./applied.ts";

/**
 * What an Event at a pod says of a refusal: `refused api.example.com:443 (denied.no_rule): no rule permits it; nearest is
 * shop/payments`. The pod's own namespace reads it, and nothing else is in it; a reason that a newer sidecar has is told
 * without its sentence.
 */
export function refusalNote(row: ReportRow, namespace: string): string {
  const { reason, name, address, port, rule, nearest } = row;
  const host = plainText(name ?? address ?? "an address");
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const sentence = Object.hasOwn(REASONS, reason) ? `: ${REASONS[reason as Reason]}` : "";
  const what = reason === "revoked" ? "closed" : "refused";
  const by =
    /^denied\.(boundary|ceiling)$/.test(reason) && rule !== undefined
      ? `; it is boundary ${plainText(rule)}`
      : "";
  const near = nearest?.startsWith(`${namespace}/`) ? `; nearest is ${plainText(nearest)}` : "";
  return `${what} ${where} (${plainText(reason)})${sentence}${by}${near}`;
}
