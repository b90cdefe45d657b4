import type { Result } from "./test-run.ts";

/** JUnit's XML, as CI systems read it: a suite a document, what is wrong with a case is its failure. */
export function junitOf(results: readonly Result[]): string[] {
  const suites = Map.groupBy(results, ({ suite }) => suite);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="sallyport" ${counts(results)}>`,
    ...[...suites].flatMap(([suite, its]) => [
      `  <testsuite name="${escaped(suite)}" ${counts(its)}>`,
      ...its.flatMap((result) => testcase(suite, result)),
      "  </testsuite>",
    ]),
    "</testsuites>",
  ];
}

function counts(results: readonly Result[]): string {
  const failures = results.filter(({ failure }) => failure !== undefined).length;
  return `tests="${results.length}" failures="${failures}" errors="0"`;
}

function testcase(suite: string, { title, failure, at, details }: Result): string[] {
  const open = `    <testcase classname="${escaped(suite)}" name="${escaped(title)}"`;
  if (failure === undefined) return [`${open}/>`];
  return [
    `${open}>`,
    `      <failure message="${escaped(failure)}">${escaped([at, ...details].join("\n"))}</failure>`,
    "    </testcase>",
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** What XML 1.0 has no way of writing (§2.2, Char) is replaced; a line's end in an attribute would become a space. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
