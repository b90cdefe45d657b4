/** What web-main.ts is told. */
export interface WebOptions {
  /** Files, PEM. */
  readonly certificate: string;
  readonly key: string;
  /** The folder of bare repositories served under /git/. */
  readonly gitRoot: string;
}
