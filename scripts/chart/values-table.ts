import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

/**
 * A Markdown table of what values.yaml holds: each value with its default, and the comment above it. A value without one
 * is an error: nobody would know what it is for.
 */
export function valuesTable(yaml: string): string {
  const document = parseDocument(yaml);
  const rows = rowsOf(document.contents as YAMLMap, "");
  return ["| value | default | |", "|---|---|---|", ...rows].join("\n");
}

function rowsOf(map: YAMLMap, prefix: string): string[] {
  return map.items.flatMap((pair, i) => {
    const key = `${prefix}${(pair.key as { value: string }).value}`;
    const comment = commentAbove(pair, i === 0 ? map : undefined);
    const { value } = pair;
    // A group has no comment of its own: those inside it say what they are.
    if (isMap(value) && value.items.length > 0 && comment === undefined)
      return rowsOf(value, `${key}.`);
    if (comment === undefined) throw new Error(`values.yaml: ${key} has no comment`);
    const plain = isScalar(value) ? value.value : (value as YAMLMap).toJSON();
    return `| \`${key}\` | \`${JSON.stringify(plain)}\` | ${comment} |`;
  });
}

/** The last paragraph of the comment; what stands before the first key belongs to the map. */
function commentAbove({ key }: Pair, first: YAMLMap | undefined): string | undefined {
  const { commentBefore } = key as { commentBefore?: string };
  const comment = commentBefore ?? first?.commentBefore;
  return (
    comment
      ?.split("\n")
      .map((line) => line.trim())
      .join(" ")
      .trim() || undefined
  );
}
