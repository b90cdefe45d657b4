import type { State } from "@sallyport/controller/assessment/assessment";
import type { Group } from "@sallyport/controller/assessment/roll-up";
import type { Finding } from "./findings.ts";
import type { PolicyReport } from "./policy.ts";
import type { Trial } from "./trial.ts";
import type { Inhabitants } from "./workloads.ts";

/** Everything that a check has found; what is told of it is `text.ts` and `json.ts`. */
export interface Report {
  /** Of this command. */
  readonly version: string;
  readonly context: string;
  readonly server: string;
  readonly kubernetes: string;
  readonly installed: boolean;
  readonly install: string;
  /** Of what may not be looked at, nothing. */
  readonly controller:
    | { readonly version: string; readonly available: number; readonly wanted: number }
    | undefined;
  readonly webhooks: number | undefined;
  readonly certificateDaysLeft: number | undefined;
  readonly permissionsGranted: number | undefined;
  readonly trials: readonly Trial[];
  /** Of each labelled namespace. */
  readonly inhabitants: readonly Inhabitants[] | undefined;
  /** Whether sidecars are given policy there. */
  readonly policyPort: boolean | undefined;
  readonly policy: PolicyReport | undefined;
  readonly findings: readonly Finding[];
}

export type PodsByState = { readonly [state in State]: number };

export interface WorkloadSummary {
  readonly kind: string;
  readonly name: string;
  readonly pods: PodsByState;
}

const NO_PODS: PodsByState = { injected: 0, left_alone: 0, missed: 0, stale: 0, broken: 0 };

/** The workloads of a namespace, each once. */
export function workloadsOf(groups: readonly Group[]): WorkloadSummary[] {
  const summaries = new Map<string, WorkloadSummary>();
  for (const { owner, assessment, pods } of groups) {
    const { kind, name } = owner;
    const before = summaries.get(`${kind}/${name}`)?.pods ?? NO_PODS;
    summaries.set(`${kind}/${name}`, {
      kind,
      name,
      pods: { ...before, [assessment.state]: before[assessment.state] + pods },
    });
  }
  return [...summaries.values()];
}

export function podsByState(inhabitants: readonly Inhabitants[] = []): PodsByState {
  const sum = { ...NO_PODS };
  for (const { groups } of inhabitants)
    for (const { assessment, pods } of groups) sum[assessment.state] += pods;
  return sum;
}
