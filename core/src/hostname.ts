import { parseAddress } from "./address.ts";

/** A rule's host: an exact name, or every name below one. */
export interface HostPattern {
  /** Lower case, no trailing dot; of `*.example.com` it is `example.com`. */
  readonly name: string;
  readonly wildcard: boolean;
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const ASCII = /^[\x21-\x7e]*$/;
const MAX_NAME = 253;

/**
 * The one spelling of a DNS name: lower case, without the trailing dot. Undefined where it is none: labels of letters,
 * digits, hyphens and underscores, 63 characters each and 253 in all (RFC 1035 §2.3.4), the last one not all digits,
 * because that is an IPv4 address to somebody (WHATWG URL, "ends in a number").
 */
export function canonicalName(text: string): string | undefined {
  // Before letters are made small: the Kelvin sign, U+212A, would become an ordinary k.
  if (!ASCII.test(text)) return undefined;
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > MAX_NAME) return undefined;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  return /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "") ? undefined : name;
}

/** `www.example.com` or `*.example.com`; an Error says what is wrong and what would be right. */
export function parseHostPattern(text: string): HostPattern | Error {
  if (text === "*")
    return new Error(
      `"*" is no host: for any public destination write cidrs: ["0.0.0.0/0", "::/0"]`,
    );
  const wildcard = text.startsWith("*.");
  const name = canonicalName(wildcard ? text.slice(2) : text);
  if (name !== undefined) return { name, wildcard };
  return new Error(`"${text}" is not a host: ${complaint(text)}`);
}

export function formatHostPattern({ name, wildcard }: HostPattern): string {
  return wildcard ? `*.${name}` : name;
}

function complaint(text: string): string {
  const address = parseAddress(text);
  if (address)
    return `it is an address; write it in cidrs, as ${text}/${address.family === 4 ? 32 : 128}`;
  const ascii = aLabels(text);
  if (ascii !== undefined) return `write it in A-labels: ${ascii}`;
  if (text.includes("*"))
    return "a wildcard stands for whole labels at the front only, as in *.example.com";
  if (text.includes("://") || text.includes("/"))
    return "expected a name alone, without scheme or path";
  if (/:\d+$/.test(text)) return "expected a name alone; its port belongs in ports";
  return "expected a DNS name such as www.example.com or *.example.com";
}

/** RFC 5890 §2.3.2.1, for the message; undefined where that does not help. */
function aLabels(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII is what is looked for
  if (!/[^\x00-\x7f]/.test(text)) return undefined;
  try {
    const wildcard = text.startsWith("*.");
    const { hostname } = new URL(`http://${wildcard ? text.slice(2) : text}`);
    return canonicalName(hostname) && `${wildcard ? "*." : ""}${hostname}`;
  } catch {
    return undefined;
  }
}
