import { CHAIN, type OwnChain, spec, type TableName } from "./ruleset.ts";
import type { SavedRule } from "./saved.ts";

/**
 * The text that iptables-restore takes. Under `--noflush` a `:CHAIN` line makes that chain, or empties it, and leaves
 * the other chains alone; each table takes effect as one, at its COMMIT.
 */
export function restoreDocument(
  steps: readonly { readonly table: TableName; readonly lines: readonly string[] }[],
): string {
  return steps.flatMap(({ table, lines }) => [`*${table}`, ...lines, "COMMIT", ""]).join("\n");
}

/** Our chain anew, and one jump to it at the head of OUTPUT in place of those that are there. */
export function replaceChain(own: OwnChain, jumps: readonly SavedRule[]): string[] {
  return [
    `:${CHAIN} - [0:0]`,
    ...deleted(jumps),
    `-I OUTPUT 1 ${spec(own.jump, CHAIN)}`,
    ...own.rules.flatMap(({ match, target, why }) => [
      `# ${why}`,
      `-A ${CHAIN} ${spec(match, target)}`,
    ]),
  ];
}

export function removeChain(jumps: readonly SavedRule[]): string[] {
  return [`:${CHAIN} - [0:0]`, ...deleted(jumps), `-X ${CHAIN}`];
}

function deleted(jumps: readonly SavedRule[]): string[] {
  return jumps.map((jump) => `-D ${jump.chain} ${jump.spec}`);
}

/** Removes the kernel's own OUTPUT of a table, which the kernel refuses while anything is in it. */
export function emptiedOutput(table: TableName): string {
  return restoreDocument([{ table, lines: ["-X OUTPUT"] }]);
}
