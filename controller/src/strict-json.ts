import type { JsonValue } from "./admission/admission.ts";

/** The API server's own objects nest some twenty levels deep; what is deeper was made to hurt. */
export const MAX_DEPTH = 128;

/**
 * JSON (RFC 8259) in which every reader sees the same: UTF-8 without a byte order mark, no key twice in one object, no
 * `__proto__`, bounded nesting. An Error says what is wrong and where.
 */
export function parseStrictJson(bytes: Uint8Array): JsonValue | Error {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new Error("the body is not UTF-8");
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return new Error(`the body is not JSON: ${(error as Error).message}`);
  }
  const problem = ambiguity(text);
  return problem === undefined ? value : new Error(`the body is not acceptable JSON: ${problem}`);
}

/** What JSON.parse lets pass; `text` is known to be JSON, so that a string before a colon is a key. */
function ambiguity(text: string): string | undefined {
  /** The keys seen in each open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let string = "";
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        string = text.slice(at, end + 1);
        at = end;
        break;
      }
      case ":": {
        const key: string = JSON.parse(string);
        const keys = open.at(-1);
        if (key === "__proto__") return `the key "__proto__" at character ${at}`;
        if (keys?.has(key))
          return `the key ${shorten(string)} twice in one object, at character ${at}`;
        keys?.add(key);
        break;
      }
      case "{":
      case "[":
        open.push(text[at] === "{" ? new Set() : undefined);
        if (open.length > MAX_DEPTH) return `nested more than ${MAX_DEPTH} levels deep`;
        break;
      case "}":
      case "]":
        open.pop();
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
