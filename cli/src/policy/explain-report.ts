import { pasteable } from "@sallyport/core/explanation";
import type { Applied } from "./applied.ts";
import type { Finding } from "./ask.ts";
import { type Destination, formatDestination } from "./destination.ts";
import { findingJson, linesOf, whyRefused } from "./finding.ts";

/** What `explain` says, whichever policy it asked. */
export interface Explained {
  readonly applied: Applied;
  readonly finding: Finding;
  readonly to: Destination;
  /** What else was taken for granted. */
  readonly notes: readonly string[];
}

export function explainedJson({ applied, finding, to, notes }: Explained) {
  return { ...findingJson(applied, finding), destination: formatDestination(to), notes };
}

export function explainedText({ applied, finding, to, notes }: Explained): string[] {
  const { verdict, assumed } = finding;
  const refusal = whyRefused(applied, finding);
  const word =
    verdict.verdict === "deny"
      ? "is refused"
      : refusal
        ? `passes, but only because ${applied.auditedBy ?? "a boundary"} says audit`
        : "is allowed";
  const mark = verdict.verdict === "deny" ? "✗" : "✓";
  const details = linesOf({ ...finding, assumed: [...assumed, ...notes] }, refusal);
  const rule = refusal ? pasteable(refusal) : [];
  return [
    `${mark} ${formatDestination(to)} ${word} (${refusal?.reason ?? verdict.reason})`,
    ...details,
    ...(rule.length > 0 ? ["", ...rule] : []),
  ];
}
