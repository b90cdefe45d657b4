import { pasteable } from "@sallyport/core/explanation";
import { apply, podOf } from "./applied.ts";
import { ask } from "./ask.ts";
import { type Destination, formatDestination } from "./destination.ts";
import { linesOf, whyRefused } from "./finding.ts";
import { type Case, goalOf } from "./test-file.ts";
import type { Suite } from "./test-suites.ts";

export interface Result {
  readonly suite: string;
  readonly title: string;
  /** `cases.yaml:12` */
  readonly at: string;
  /** In a sentence; undefined where the case holds. */
  readonly failure?: string;
  /** Why it is as it is, in lines. */
  readonly details: readonly string[];
  readonly verdict: "allow" | "deny";
  readonly reason: string;
}

/** Each case by the same function that judges in the sidecar. */
export function runSuite(suite: Suite): Result[] {
  const appliedTo = ({ namespace, labels, namespaceLabels }: Suite["pod"]) =>
    apply(suite.objects, podOf(namespace, labels, namespaceLabels), suite);
  const usual = appliedTo(suite.pod);
  return suite.cases.map((each, i) => {
    const applied = each.pod ? appliedTo(each.pod) : usual;
    const answers = new Map([...suite.answers, ...(each.answers ?? [])]);
    const { to, protocol } = goalOf(each);
    const finding = ask(applied, { to, says: each.says, protocol, answers, assume: true });
    if ("names" in finding) throw new Error(`${finding.names.join(", ")} was not assumed`);
    const { verdict } = finding;
    const match = verdict.verdict === "allow" ? verdict.match?.clause.rule : verdict.boundary;
    const failure = failureOf(each, to, verdict.verdict, verdict.reason, match);
    const refusal = whyRefused(applied, finding);
    const isWanted = refusal !== undefined && each.expect === "allow";
    const others = isWanted && applied.others.length > 0;
    const assumed = others
      ? [...finding.assumed, `these rules are for other pods: ${applied.others.join("; ")}`]
      : finding.assumed;
    return {
      suite: suite.title,
      title:
        each.name ?? `${each.expect} ${each.url ? `${protocol} ` : ""}${formatDestination(to)}`,
      at: suite.at(i),
      ...(failure !== undefined && { failure }),
      details:
        failure === undefined
          ? []
          : [...linesOf({ ...finding, assumed }, refusal), ...(isWanted ? pasteable(refusal) : [])],
      verdict: verdict.verdict,
      reason: verdict.reason,
    };
  });
}

function failureOf(
  { expect, reason, rule }: Case,
  to: Destination,
  verdict: string,
  because: string,
  match: string | undefined,
): string | undefined {
  const got = `${formatDestination(to)}: ${verdict} (${because}${match === undefined ? "" : ` by ${match}`})`;
  if (verdict !== expect) return `expected ${expect}, got ${got}`;
  if (reason !== undefined && because !== reason) return `expected reason ${reason}, got ${got}`;
  if (rule !== undefined && match !== rule) return `expected rule ${rule}, got ${got}`;
  return undefined;
}
