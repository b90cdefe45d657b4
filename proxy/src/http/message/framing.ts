import { type Fault, fault, quoted } from "./fault.ts";
import type { Field } from "./fields.ts";

/** Where a body ends (RFC 9112 §6.3). `until_close` is a response's alone. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until_close" };

export type Framed = Extract<Framing, { kind: "length" } | { kind: "chunked" }>;

/** Canonical, and no more digits than 2^53 - 1 has: no number is read in another base, rounded, or overflows. */
const DIGITS = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * What the two framing fields say together (RFC 9112 §6.3); undefined where there is neither. Stricter than one must be,
 * since somebody else reads it after us: one field of one kind, one value, at most one space before it and nothing behind
 * it. What might be trimmed, joined or repeated in agreement is refused, for not all agree.
 */
export function framingOf(
  lengths: Field | undefined,
  codings: Field | undefined,
  minor: 0 | 1,
): Framed | undefined | Fault {
  if (codings) {
    // §6.1: a server may answer 400, and must close; a proxy is to take it for an attack (§11.2).
    if (lengths) return fault("both Content-Length and Transfer-Encoding");
    // §6.1: HTTP/1.0 has no such field; its framing is faulty.
    if (minor === 0) return fault("Transfer-Encoding in HTTP/1.0");
    const coding = exact(codings);
    return coding.toLowerCase() === "chunked"
      ? { kind: "chunked" }
      : fault(`Transfer-Encoding is ${quoted(coding)}, not chunked`);
  }
  if (!lengths) return undefined;
  const digits = exact(lengths);
  const length = Number(digits);
  return DIGITS.test(digits) && Number.isSafeInteger(length)
    ? { kind: "length", length }
    : fault(`Content-Length is ${quoted(digits)}, not a length`);
}

/** §6.3: even two lengths that agree are refused. */
export function repeated(field: Field): Fault {
  return fault(
    `more than one ${field.name === "content-length" ? "Content-Length" : "Transfer-Encoding"}`,
  );
}

/** Names that are taken for the real ones where hyphens and underscores are one (CGI, RFC 3875 §4.1.18). */
export function lookalike(field: Field): Fault {
  return fault(`a field ${field.name}, which some take for ${field.name.replace("_", "-")}`);
}

function exact({ raw }: Field): string {
  return raw.startsWith(" ") ? raw.slice(1) : raw;
}
