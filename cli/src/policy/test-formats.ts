import type { Result } from "./test-run.ts";

/** For a person. */
export function textOf(results: readonly Result[]): string[] {
  const failed = results.filter(({ failure }) => failure !== undefined);
  const several = new Set(results.map(({ suite }) => suite)).size > 1;
  return [
    ...results.flatMap(({ suite, title, failure, details, at }, i) => [
      ...(several && results[i - 1]?.suite !== suite ? [...(i > 0 ? [""] : []), suite] : []),
      `${failure === undefined ? "✓" : "✗"} ${title}`,
      ...(failure === undefined ? [] : [`    ${failure}`, `    ${at}`, ...indent(details)]),
    ]),
    "",
    failed.length === 0
      ? `${count(results.length)} ${results.length === 1 ? "holds" : "hold"}`
      : `${failed.length} of ${count(results.length)} ${failed.length === 1 ? "does" : "do"} not hold`,
  ];
}

/** Test Anything Protocol, version 14 (testanything.org): what is wrong with a case is its YAML block. */
export function tapOf(results: readonly Result[]): string[] {
  return [
    "TAP version 14",
    `1..${results.length}`,
    ...results.flatMap(({ title, failure, at, details, verdict, reason }, i) => [
      `${failure === undefined ? "ok" : "not ok"} ${i + 1} - ${tapText(title)}`,
      ...(failure === undefined
        ? []
        : [
            "  ---",
            `  message: ${JSON.stringify(failure)}`,
            `  at: ${JSON.stringify(at)}`,
            `  verdict: ${verdict}`,
            `  reason: ${reason}`,
            `  details: ${JSON.stringify(details.join("\n"))}`,
            "  ...",
          ]),
    ]),
  ];
}

/** A # would begin a directive. */
function tapText(text: string): string {
  return text.replaceAll(/[\\#]/g, "\\$&").replaceAll(/\s+/g, " ");
}

export function jsonOf(results: readonly Result[]): string[] {
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const cases = results.map(({ failure, ...rest }) => ({
    ok: failure === undefined,
    ...rest,
    ...(failure !== undefined && { failure }),
  }));
  return [JSON.stringify({ passed: results.length - failed, failed, cases }, null, 2)];
}

function count(cases: number): string {
  return `${cases} ${cases === 1 ? "case" : "cases"}`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `    ${line}`));
}
