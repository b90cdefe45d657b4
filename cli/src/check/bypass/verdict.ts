/**
 * `held`: shown to have stopped, or to have been the sidecar's. `open`: shown to go past. `open_on_purpose`: it does, as
 * somebody has said. `unknown`: tried, and nobody can tell. `untried`: of what a probe in a pod cannot try.
 */
export const VERDICTS = ["held", "open_on_purpose", "open", "unknown", "untried"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Row {
  readonly way: string;
  /** What was tried, for people. */
  readonly tried: string;
  readonly verdict: Verdict;
  /** What happened, and what held it or opened it. */
  readonly happened: string;
}

export type Judged = Pick<Row, "verdict" | "happened">;

/** Whether the sidecar cannot be said to hold. */
export function isLeaky(rows: readonly Row[]): boolean {
  return rows.some(({ verdict }) => verdict === "open" || verdict === "unknown");
}
