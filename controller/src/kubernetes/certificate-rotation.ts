import { canonicalAddress } from "@sallyport/core/address";
import type { OneShotCertificate } from "../certificates.ts";
import type { CertificateContent, SharedCertificate } from "./certificate-content.ts";

/** When a rotation goes on. */
export const ROTATION = {
  /** Of a certificate's life, when the next one is made. */
  renewAt: 2 / 3,
  /** From when the API server's objects trust the next one until it is served: until every API server has heard. */
  settlingMs: 30_000,
  /** From when it is served until the one before is trusted no more: until every replica has heard. */
  overlapMs: 300_000,
} as const;
export type RotationTimes = { readonly [name in keyof typeof ROTATION]: number };

/**
 * One step at a time, each written down before the next is thought of: whoever leads next goes on from there. At every
 * moment what is trusted covers what any replica serves.
 */
export type Step =
  /** There is nothing to go on from. */
  | { readonly step: "issue"; readonly why: string }
  /** Make the next one; trust it beside the current one. */
  | { readonly step: "stage"; readonly why: string }
  /** Serve the next one. */
  | { readonly step: "promote" }
  /** Trust no more what was served before. */
  | { readonly step: "retire" }
  /** Nothing, for so long at least. */
  | { readonly step: "wait"; readonly forMs: number };

export interface Situation {
  readonly nowMs: number;
  /** The names that clients call us by. */
  readonly names: readonly string[];
  /** For how long everybody who calls us has trusted all that this content says; undefined: not yet. */
  readonly trustedForMs: number | undefined;
}

type Rule = (
  shared: SharedCertificate,
  situation: Situation,
  times: RotationTimes,
) => Step | undefined;

/** First hit wins. */
const RULES: readonly Rule[] = [
  // A next one that nobody served while there was time: its successor takes its place.
  ({ next }, { nowMs, names }, times) => next && staged(next, nowMs, names, times),
  ({ current, next }, { nowMs, trustedForMs }, { settlingMs }) => {
    if (!next) return undefined;
    // There is nothing to protect any more: whoever does not trust the next one trusts neither.
    if (current.notAfter.getTime() <= nowMs) return { step: "promote" };
    return after(settlingMs, trustedForMs, { step: "promote" });
  },
  ({ current, next }, { nowMs, names }, times) =>
    next ? undefined : staged(current, nowMs, names, times),
  ({ retired }, { trustedForMs }, { overlapMs }) =>
    retired.length > 0 ? after(overlapMs, trustedForMs, { step: "retire" }) : undefined,
];

export function nextStep(
  content: CertificateContent,
  situation: Situation,
  times: RotationTimes = ROTATION,
): Step {
  if (content.kind === "empty") return { step: "issue", why: "there is none yet" };
  if (content.kind === "broken") return { step: "issue", why: content.why };
  for (const rule of RULES) {
    const step = rule(content, situation, times);
    if (step) return step;
  }
  return { step: "wait", forMs: renewalOf(content.current, times) - situation.nowMs };
}

/** Is another one to be made in place of this? */
function staged(
  certificate: OneShotCertificate,
  nowMs: number,
  names: readonly string[],
  times: RotationTimes,
): Step | undefined {
  const missing = names.filter(
    (name) => !certificate.names.includes(canonicalAddress(name) ?? name),
  );
  if (missing.length > 0) return { step: "stage", why: `it is not for ${missing.join(", ")}` };
  const until = certificate.notAfter.toISOString();
  if (nowMs >= renewalOf(certificate, times))
    return { step: "stage", why: `it is valid until ${until}` };
  return undefined;
}

function after(ms: number, trustedForMs: number | undefined, step: Step): Step {
  if (trustedForMs === undefined) return { step: "wait", forMs: ms };
  return trustedForMs >= ms ? step : { step: "wait", forMs: ms - trustedForMs };
}

function renewalOf(
  { notBefore, notAfter }: OneShotCertificate,
  { renewAt }: RotationTimes,
): number {
  return notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * renewAt;
}

/** What is shared once the step is taken; `fresh` is what "issue" and "stage" have made. */
export function taken(
  step: "stage" | "promote" | "retire",
  shared: SharedCertificate,
  fresh?: OneShotCertificate,
): SharedCertificate {
  const { current, next, retired, ...same } = shared;
  if (step === "retire") return { ...same, current, ...(next && { next }), retired: [] };
  if (step === "promote" && next)
    return { ...same, current: next, retired: [current.authority, ...retired] };
  // The next one that is replaced was never served: nobody needs to trust it.
  if (step === "stage" && fresh) return { ...same, current, next: fresh, retired };
  return shared;
}
