import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

/** Where things stand in the text of a YAML document. Nodes are as `parse` gives them, with their source tokens. */

/** The offset after the last character of a value, or of the key, colon or dash where there is none. */
export function endOf(item: unknown): number {
  if (isPair(item))
    return isEmpty(item.value) ? tokenOffset(item, "map-value-ind") + 1 : endOf(item.value);
  if (isCollection(item) && !isFlow(item)) {
    const last = item.items.length - 1;
    const inner = item.items[last];
    return !isMap(item) && isEmpty(inner) ? dashOf(item as YAMLSeq, last) + 1 : endOf(inner);
  }
  return rangeOf(item)[1];
}

/** Where the dash of an entry is. */
export function dashOf(list: YAMLSeq, index: number): number {
  const token = list.srcToken as { items?: { start: SourceToken[] }[] } | undefined;
  return offsetOf(token?.items?.[index]?.start, "seq-item-ind");
}

/** Where the text of a pair's value begins: right after the colon. */
export function afterColon(pair: Pair): number {
  return tokenOffset(pair, "map-value-ind") + 1;
}

export function startOf(item: unknown): number {
  return isPair(item) ? rangeOf(item.key)[0] : rangeOf(item)[0];
}

/** Which pair of a map has that key; -1 where none has. */
export function indexOfKey(map: YAMLMap, key: string): number {
  return map.items.findIndex((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}

export function isFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true;
}

export function isEmptyCollection(node: unknown): node is YAMLMap | YAMLSeq {
  return isCollection(node) && node.items.length === 0;
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Where a line can be put after what ends at `at`: the start of the next. `text` ends in a newline. */
export function nextLine(text: string, at: number): number {
  return text[at - 1] === "\n" ? at : text.indexOf("\n", at) + 1;
}

/** What stands before `at` in its line, as white space. */
export function indentAt(text: string, at: number): string {
  return " ".repeat(at - lineStart(text, at));
}

type SourceToken = { readonly type: string; readonly offset: number };

function tokenOffset(pair: Pair, type: string): number {
  return offsetOf((pair.srcToken as { sep?: SourceToken[] } | undefined)?.sep, type);
}

function offsetOf(tokens: readonly SourceToken[] | undefined, type: string): number {
  const token = tokens?.find((one) => one.type === type);
  if (!token) throw new Error("it is written in a way that cannot be edited in place");
  return token.offset;
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    (isScalar(value) && value.source === "" && rangeOf(value)[0] === rangeOf(value)[1])
  );
}

function rangeOf(node: unknown): readonly [number, number] {
  const range =
    isScalar(node) || isCollection(node) || isAlias(node) ? (node as Node).range : undefined;
  if (!range) throw new Error("it is written in a way that cannot be edited in place");
  return [range[0], range[1]];
}
