import { parseAddress } from "@sallyport/core/address";
import { parseHostPattern } from "@sallyport/core/hostname";
import { parsePort } from "@sallyport/core/ports";
import type { Destination } from "./destination.ts";
import type { Spoken } from "./spoken.ts";

/** What an app does that asks for a URL: where it connects to, giving that name, and what it speaks there. */
export interface Fetch {
  readonly to: Destination;
  readonly protocol: Spoken;
}

interface Scheme {
  readonly port: number;
  readonly protocol: Spoken;
}

/** RFC 9110 §4.2, RFC 6455 §3. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  http: { port: 80, protocol: "http" },
  https: { port: 443, protocol: "tls" },
  ws: { port: 80, protocol: "http" },
  wss: { port: 443, protocol: "tls" },
};

export function isUrl(text: string): boolean {
  return text.includes("://");
}

/**
 * `https://api.example.com/v1/things?page=2`: path and query may be there, no rule is about them. Read by RFC 3986 §3 and no
 * further: a browser would mend what is wrong, and what would be connected to is then another. An Error says what is right.
 */
export function parseUrl(text: string): Fetch | Error {
  const [, name = "", authority = "", fragment] =
    /^([^:]*):\/\/([^/?#]*)[^#]*(#.*)?$/s.exec(text) ?? [];
  // What stands before the @ may be a password, and this may be the log of a build.
  if (authority.includes("@"))
    return new Error(
      "a URL is taken without its user and password: no rule is about them, leave them out, and the @",
    );
  const wrong = (why: string) => new Error(`"${text}" is no destination: ${why}`);
  const key = name.toLowerCase();
  const scheme = Object.hasOwn(SCHEMES, key) ? SCHEMES[key] : undefined;
  if (!scheme) return wrong(`expected ${Object.keys(SCHEMES).join(", ")} before the ://`);
  if (fragment !== undefined)
    return wrong(`leave out ${fragment}, which an app keeps for itself (RFC 9110 §7.1)`);
  const [, bracketed, plain = "", digits] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(authority) ?? [];
  const port = digits === undefined || digits === "" ? scheme.port : parsePort(digits);
  if (port === undefined)
    return wrong(`expected a port from 1 to 65535, or none for ${scheme.port}`);
  const host = bracketed ?? plain;
  if (host === "") return wrong(`expected a name after the ://, as in ${key}://api.example.com/`);
  if (parseAddress(host))
    return wrong(
      `an address is no name, which is what a URL gives; write ${bracketed === undefined ? host : `[${host}]`}:${port}, and the protocol beside it`,
    );
  const pattern = parseHostPattern(host);
  if (pattern instanceof Error) return wrong(pattern.message);
  if (pattern.wildcard) return wrong(`${host} holds many names: write one of them`);
  return { to: { name: pattern.name, port }, protocol: scheme.protocol };
}
