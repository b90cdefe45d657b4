/**
 * The API server's own bounds (apiserver/pkg/endpoints/filters/warning.go): while all warnings together are short, each
 * is shown in full; beyond that each is cut, and what comes after the total is dropped without a word.
 */
const TOTAL_CHARACTERS = 4_096;
const ITEM_CHARACTERS = 256;
const MORE = "more warnings were left out";

/** Warnings that arrive: one line each, each once, within the bounds, and with a last one that counts those left out. */
export function boundedWarnings(warnings: readonly string[]): string[] {
  const lines = [...new Set(warnings.map(oneLine))].filter((line) => line !== "");
  if (total(lines) <= TOTAL_CHARACTERS) return lines;
  const cut = lines.map(shorten);
  const kept: string[] = [];
  let room = TOTAL_CHARACTERS - `${lines.length} ${MORE}`.length;
  for (const line of cut) {
    room -= characters(line);
    if (room < 0) break;
    kept.push(line);
  }
  return kept.length === cut.length ? kept : [...kept, `${cut.length - kept.length} ${MORE}`];
}

/** A warning is an HTTP header: one that holds a control character is dropped (apimachinery's NewWarningHeader). */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
}

function shorten(line: string): string {
  return characters(line) > ITEM_CHARACTERS
    ? `${[...line].slice(0, ITEM_CHARACTERS - 1).join("")}…`
    : line;
}

function total(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + characters(line), 0);
}

/** As Go counts runes. */
function characters(text: string): number {
  return [...text].length;
}
