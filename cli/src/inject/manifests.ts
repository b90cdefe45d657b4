import type { JsonObject } from "@sallyport/controller/admission/admission";
import { type Document, isMap, type ParsedNode, Parser, parseDocument, type Tags } from "yaml";

/** One document of a stream, with every byte of it: what stands between two documents belongs to the later one. */
export interface Manifest {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Undefined where the document is no mapping: empty, or only comments. */
  readonly object: JsonObject | undefined;
}

/** What is wrong with a stream: `line:column: what`. */
export class ManifestError extends Error {}

const TOO_DEEP = "it is nested too deep";

/** Splits a YAML stream or a JSON text; joined again, the manifests are the text, byte for byte. */
export function manifestsOf(text: string): Manifest[] {
  try {
    return split(text).map(manifestAt);
  } catch (error) {
    if (error instanceof RangeError) throw new ManifestError(`1:1: ${TOO_DEEP}`);
    throw error;
  }
}

function manifestAt(part: string, i: number, parts: readonly string[]): Manifest {
  const document = parse(part);
  const [error] = document.errors;
  if (error) {
    const line = parts.slice(0, i).join("").split("\n").length - 1;
    const at = error.linePos?.[0] ?? { line: 1, col: 1 };
    const [what = error.message] = error.message.split(/ at line \d+|\n/);
    const why = what.includes("call stack") ? TOO_DEEP : what;
    throw new ManifestError(`${line + at.line}:${at.col}: ${why}`);
  }
  return { number: i + 1, text: part, object: objectOf(document) };
}

/** Whole numbers with leading zeros are octal, `yes` is true: manifests are read as kubectl reads them (YAML 1.1). */
export function parse(text: string): Document.Parsed {
  return parseDocument(text, {
    version: "1.1",
    merge: true,
    keepSourceTokens: true,
    prettyErrors: true,
    logLevel: "silent",
    customTags: (tags) => tags.filter(isJson),
  });
}

/** The document as JSON; aliases written out. */
export function objectOf(document: Document.Parsed): JsonObject | undefined {
  if (!isMap(document.contents as ParsedNode | null)) return undefined;
  try {
    return JSON.parse(JSON.stringify(document.toJS()));
  } catch (error) {
    throw new ManifestError(`1:1: ${(error as Error).message}`);
  }
}

/** Dates and base-60 numbers are text, as they are to kubectl. */
function isJson(tag: Tags[number]): boolean {
  if (typeof tag !== "object") return true;
  return tag.tag !== "tag:yaml.org,2002:timestamp" && !("format" in tag && tag.format === "TIME");
}

function split(text: string): string[] {
  const starts: number[] = [];
  let open = false;
  for (const { type, offset } of new Parser().parse(text) as Iterable<{
    type: string;
    offset: number;
  }>) {
    if (type === "document") {
      if (!open) starts.push(offset);
      open = false;
    } else if (!open && type !== "doc-end" && type !== "byte-order-mark") {
      // Directives and comments, before the document that they introduce.
      starts.push(offset);
      open = true;
    }
  }
  return starts.map((start, i) => text.slice(i === 0 ? 0 : start, starts[i + 1] ?? text.length));
}
