import type { JsonValue } from "@sallyport/controller/admission/admission";
import { isMap, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { endOf, indexOfKey, isFlow, lineStart, startOf } from "./geometry.ts";

/**
 * Flow collections, `{…}` and `[…]`, which is what JSON is made of: what is put into them is JSON, over as many lines as
 * its surroundings take. None of them is empty here.
 */

export function addToFlow(
  text: string,
  parent: YAMLMap | YAMLSeq,
  key: string,
  value: JsonValue,
  insert: boolean,
): string {
  const index = isMap(parent) ? indexOfKey(parent, key) : Number(key);
  const existing = index === -1 ? undefined : parent.items[index];
  const indent = indentOf(text, parent);
  const json = jsonOf(value, indent);
  if (existing !== undefined && (isMap(parent) || !insert)) {
    const old = isMap(parent) ? (existing as Pair).value : existing;
    return text.slice(0, startOf(old)) + json + text.slice(endOf(old));
  }
  const item = isMap(parent) ? `${JSON.stringify(key)}: ${json}` : json;
  const between = indent === undefined ? ", " : `,\n${indent}`;
  if (existing !== undefined) {
    const at = startOf(existing);
    return text.slice(0, at) + item + between + text.slice(at);
  }
  const at = endOf(parent.items.at(-1));
  return text.slice(0, at) + between + item + text.slice(at);
}

/** With the comma; one item at least stays. */
export function removeFromFlow(text: string, { items }: YAMLMap | YAMLSeq, index: number): string {
  const next = items[index + 1];
  return next === undefined
    ? text.slice(0, endOf(items[index - 1])) + text.slice(endOf(items[index]))
    : text.slice(0, startOf(items[index])) + text.slice(startOf(next));
}

/** What stands before each item where every item has a line of its own; undefined where they share one. */
function indentOf(text: string, parent: YAMLMap | YAMLSeq): string | undefined {
  const at = startOf(parent.items[0]);
  const before = text.slice(lineStart(text, at), at);
  return before.trim() === "" && isFlow(parent) ? before : undefined;
}

function jsonOf(value: JsonValue, indent: string | undefined): string {
  if (indent === undefined) return JSON.stringify(value);
  const unit = indent.startsWith("\t") ? "\t" : "  ";
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${indent}`);
}
