import type { Line } from "./edits.ts";
import { type Fault, fault, quoted } from "./fault.ts";
import { type Field, listOf, trimmed } from "./fields.ts";

const OPTION = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * Fields for every recipient, which a connection option must not name (RFC 9110 §7.6.1): whoever obeyed would take the
 * message's meaning or its framing from it, or what it is authorized by; whoever did not would disagree with him.
 */
const FOR_EVERYBODY = new RegExp(
  `^(?:${[
    ...["host", "content-.+", "transfer-encoding", "expect", "range", "if-.+", "max-forwards"],
    ...["authorization", "cookie", "set-cookie", "www-authenticate", "origin", "referer", "sec-.+"],
    ...["cache-control", "pragma", "age", "date", "expires", "etag", "vary", "last-modified"],
    ...["location", "accept", "accept-.+", "access-control-.+", "user-agent", "server"],
    ...["forwarded", "via", "x-forwarded-.+", "x-real-ip", "traceparent", "tracestate", "baggage"],
    "strict-transport-security",
  ].join("|")})$`,
);

const NONE: readonly string[] = [];
/** What nearly every Connection field says. */
const USUAL: ReadonlyMap<string, readonly string[]> = new Map(
  ["keep-alive", "Keep-Alive", "close", "Upgrade"].map((said) => [said, [said.toLowerCase()]]),
);

/** The options of all Connection fields, in lower case. */
export function optionsOf(fields: readonly Field[] | undefined): readonly string[] | Fault {
  if (!fields) return NONE;
  const usual = fields.length === 1 && fields[0] ? USUAL.get(trimmed(fields[0].raw)) : undefined;
  return usual ?? membersOf(fields);
}

function membersOf(fields: readonly Field[]): readonly string[] | Fault {
  const options: string[] = [];
  for (const field of fields)
    for (const member of listOf(field.raw)) {
      const option = member.toLowerCase();
      if (!OPTION.test(option)) return fault(`not a connection option: ${quoted(member)}`);
      if (FOR_EVERYBODY.test(option))
        return fault(`Connection names ${option}, which is for every recipient`);
      options.push(option);
    }
  return options;
}

/** The lines of fields by these names, in lower case, in a field section that has been read. */
export function linesNamed(head: string, at: number, names: readonly string[]): Line[] {
  const gone = new Set(names);
  const found: Line[] = [];
  for (let start = at; start < head.length - 2; ) {
    const end = head.indexOf("\n", start) + 1;
    if (gone.has(head.slice(start, head.indexOf(":", start)).toLowerCase()))
      found.push({ start, end });
    start = end;
  }
  return found;
}
