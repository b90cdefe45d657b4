import { canonicalName } from "@sallyport/core/hostname";
import { printable } from "./name-given.ts";
import type { Http } from "./outcome.ts";

/** Host and port as they were written, and what they say; no name where no host can match it. */
export interface Authority {
  readonly text: string;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
}

/** RFC 9110 §7.2: a port of no digits is none; user information has no place in it (§4.2.4). */
export function authorityOf(text: string): Authority {
  const [, host, digits = ""] = /^([^:]*)(?::([0-9]{0,5}))?$/.exec(text) ?? [];
  const port = digits === "" ? undefined : Number(digits);
  if (host === undefined || port === 0 || (port ?? 0) > 65_535) return { text };
  return { text, name: canonicalName(host), port };
}

/**
 * The name in the Host fields. There must be one, and where the request target names an authority too they must agree: a
 * server goes by the target (RFC 9112 §3.2.2), and others by the Host.
 */
export function hostGiven(
  values: readonly string[],
  target: Authority | undefined,
  defaultPort: number | undefined,
): Pick<Http, "host" | "invalidHost" | "hostPort"> {
  const given = values.map(trimmed);
  const [first] = given;
  if (first === undefined) return {};
  const host = authorityOf(first);
  const agreed =
    !target ||
    (target.name === host.name && (target.port ?? defaultPort) === (host.port ?? defaultPort));
  const said = agreed ? given : [...given, target.text];
  if (said.length > 1 || host.name === undefined)
    return { invalidHost: printable(said.join(", ")) };
  return { host: host.name, hostPort: host.port };
}

/**
 * Without the spaces and tabs that may stand around a value (RFC 9112 §5). Not `trim`, which takes a no-break space too;
 * not a regular expression, which takes quadratic time for many spaces.
 */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
