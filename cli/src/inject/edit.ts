import { isDeepStrictEqual } from "node:util";
import type {
  JsonObject,
  JsonValue,
  PatchOperation,
} from "@sallyport/controller/admission/admission";
import { isAlias, isCollection, isMap, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { addToFlow, removeFromFlow } from "./edit-flow.ts";
import {
  afterColon,
  dashOf,
  endOf,
  indentAt,
  indexOfKey,
  isEmptyCollection,
  isFlow,
  lineStart,
  nextLine,
  startOf,
} from "./geometry.ts";
import { objectOf, parse } from "./manifests.ts";
import { block, type Style, styleOf } from "./render.ts";

/**
 * Applies patch operations to the text of one YAML or JSON document. Every line that they do not concern stays as it is,
 * with its comments, quotes and spaces. What comes out is read again and must be `wanted`, or an Error says why not: an
 * alias, for instance, cannot be changed in one of its places.
 */
export function edit(
  text: string,
  operations: readonly PatchOperation[],
  wanted: JsonObject,
): string | Error {
  // A last line without an end is given one to work with.
  const whole = text.endsWith("\n") ? text : `${text}\n`;
  try {
    const edited = operations.reduce(apply, whole);
    if (!isDeepStrictEqual(objectOf(parse(edited)), wanted))
      return new Error("it cannot be edited in place: write its aliases and merge keys out");
    return whole === text ? edited : edited.slice(0, -1);
  } catch (error) {
    return error as Error;
  }
}

/** A place in a document: an entry of a map or list, and the collections around it. */
interface Place {
  readonly text: string;
  readonly style: Style;
  readonly path: readonly string[];
  readonly parent: YAMLMap | YAMLSeq;
  readonly key: string;
}

function apply(text: string, operation: PatchOperation): string {
  const path = operation.path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return operation.op === "remove"
    ? remove(text, path)
    : put(text, path, operation.value, operation.op === "add");
}

function placeOf(text: string, path: readonly string[]): Place {
  const document = parse(text);
  const style = styleOf(text, document);
  const parent = path.slice(0, -1).reduce<unknown>(stepInto, document.contents);
  if (!isCollection(parent))
    throw new Error(
      `${path.slice(0, -1).join(".")} is ${isAlias(parent) ? "an alias: write it out" : "no mapping or list"}`,
    );
  return { text, style, path, parent: parent as YAMLMap | YAMLSeq, key: path.at(-1) ?? "" };
}

function stepInto(node: unknown, key: string): unknown {
  if (isMap(node)) return pairOf(node, key)?.value;
  if (isSeq(node)) return node.items[Number(key)];
  return node;
}

function put(text: string, path: readonly string[], value: JsonValue, insert: boolean): string {
  const place = placeOf(text, path);
  const { parent, key } = place;
  if (isEmptyCollection(parent))
    return put(text, path.slice(0, -1), isMap(parent) ? { [key]: value } : [value], false);
  if (isFlow(parent)) return addToFlow(text, parent, key, value, insert);
  if (isMap(parent)) {
    const pair = pairOf(parent, key);
    return pair ? setPair(place, pair, value) : addPair(place, parent, value);
  }
  return insert
    ? addItem(place, parent as YAMLSeq, value)
    : setItem(place, parent as YAMLSeq, value);
}

function addPair({ text, style, key }: Place, map: YAMLMap, value: JsonValue): string {
  const lines = block({ [key]: value }, style, indentAt(text, startOf(map.items[0])));
  return insertAt(text, nextLine(text, endOf(map)), lines);
}

/** A comment in the line of the key stays there, whatever comes and goes below it. */
function setPair({ text, style }: Place, pair: Pair, value: JsonValue): string {
  const from = afterColon(pair);
  const to = endOf(pair);
  const below = isCollection(pair.value) && !isFlow(pair.value);
  const line = below ? text.slice(from, nextLine(text, from)) : "";
  // A block scalar ends with its line; that end is the key's line's now.
  const rest = text.slice(below ? nextLine(text, to) : text[to - 1] === "\n" ? to - 1 : to);
  if (!hasLines(value)) {
    const inline = value === null ? "" : ` ${block(value, style, "").trimEnd()}`;
    return text.slice(0, from) + inline + line + rest;
  }
  const indent = indentAt(text, startOf(pair));
  const inner = Array.isArray(value) && !style.indentSeq ? indent : `${indent}  `;
  const without = text.slice(0, from) + line + rest;
  return insertAt(without, nextLine(without, from), block(value, style, inner));
}

function addItem({ text, style, key }: Place, list: YAMLSeq, value: JsonValue): string {
  const index = Number(key);
  const indent = indentAt(text, dashOf(list, 0));
  const at =
    index < list.items.length
      ? startOfEntry(text, dashOf(list, index))
      : nextLine(text, endOf(list));
  return insertAt(text, at, block([value], style, indent));
}

function setItem({ text, style, key }: Place, list: YAMLSeq, value: JsonValue): string {
  const dash = dashOf(list, Number(key));
  const to = endOf(list.items[Number(key)]);
  const lines = block([value], style, indentAt(text, dash)).trim();
  return text.slice(0, dash) + lines + text.slice(text[to - 1] === "\n" ? to - 1 : to);
}

function remove(text: string, path: readonly string[]): string {
  const { parent, key } = placeOf(text, path);
  // There is no empty block collection: it is written {} or [].
  if (parent.items.length === 1)
    return put(text, path.slice(0, -1), isMap(parent) ? {} : [], false);
  const index = isMap(parent) ? indexOfKey(parent, key) : Number(key);
  if (isFlow(parent)) return removeFromFlow(text, parent, index);
  const item = parent.items[index];
  const start = isMap(parent) ? startOf(item) : dashOf(parent as YAMLSeq, index);
  const end = nextLine(text, endOf(item));
  const sharesLine = text.slice(lineStart(text, start), start).trim() !== "";
  // The first key of a list entry stands beside the dash, where the next key then comes to stand.
  if (sharesLine) return text.slice(0, start) + text.slice(startOf(parent.items[index + 1]));
  return text.slice(0, lineStart(text, start)) + text.slice(end);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items[indexOfKey(map, key)];
}

/** The comments right above an entry belong to it. */
function startOfEntry(text: string, dash: number): number {
  let start = lineStart(text, dash);
  while (start > 0 && /^\s*#/.test(text.slice(lineStart(text, start - 1), start)))
    start = lineStart(text, start - 1);
  return start;
}

function hasLines(value: JsonValue): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function insertAt(text: string, at: number, lines: string): string {
  return text.slice(0, at) + lines + text.slice(at);
}
