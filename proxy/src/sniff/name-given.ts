import { canonicalName } from "@sallyport/core/hostname";
import { ownText } from "./own-text.ts";

const MAX_SHOWN = 255;

/** What came of the names that were given: one, in its one spelling; or something that no host can match, printable. */
export interface NameGiven {
  readonly name?: string;
  readonly invalid?: string;
}

/**
 * A name counts where it was given once and is a DNS name. What comes here are bytes read as Latin-1, never UTF-8: no
 * character outside ASCII has a lower case inside it there, as the Kelvin sign has in Unicode.
 */
export function nameGiven(names: readonly string[]): NameGiven {
  const [first, ...others] = names;
  if (first === undefined) return {};
  const name = others.length === 0 ? canonicalName(first) : undefined;
  return name !== undefined ? { name } : { invalid: printable(names.join(", ")) };
}

/** What was said, in printable ASCII: other bytes and the backslash as `\xNN`, and cut after `max` characters. */
export function printable(latin1: string, max = MAX_SHOWN): string {
  const escaped = latin1.slice(0, max + 1).replace(/[^\x20-\x5b\x5d-\x7e]/g, escapeByte);
  return ownText(escaped.length > max ? `${escaped.slice(0, max - 3)}...` : escaped);
}

function escapeByte(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
