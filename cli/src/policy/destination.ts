import { formatAddress, parseAddress } from "@sallyport/core/address";
import { canonicalName } from "@sallyport/core/hostname";
import { parsePort } from "@sallyport/core/ports";

/** Where an app connects to, as a person writes it. */
export interface Destination {
  /** Canonical; where it is absent the address is given. */
  readonly name?: string;
  readonly address?: string;
  readonly port: number;
}

const EXAMPLES = "api.example.com:443, 93.184.215.14:443 or [2606:2800::1]:443";

/** `HOST:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; an Error says what is wrong and what would be right. */
export function parseDestination(text: string): Destination | Error {
  const [, bracketed, plain = "", digits] =
    /^(?:\[([^\]]*)\]|(.*?))(?::([^:]*))?$/s.exec(text) ?? [];
  const wrong = (why: string) => new Error(`"${text}" is no destination: ${why}`);
  if (text.includes("://"))
    return wrong(`it is a URL, which stands under url; expected for example ${EXAMPLES}`);
  if (bracketed === undefined && plain.includes(":"))
    return wrong("write an IPv6 address in brackets, as in [2606:2800::1]:443");
  const port = parsePort(digits ?? "");
  if (port === undefined) return wrong(`expected a port from 1 to 65535, for example ${EXAMPLES}`);
  const host = bracketed ?? plain;
  const address = parseAddress(host);
  if (address) return { address: formatAddress(address), port };
  const name = bracketed === undefined ? canonicalName(host) : undefined;
  return name === undefined
    ? wrong(`"${host}" is neither a DNS name nor an address`)
    : { name, port };
}

/** `name:port`, `address:port` or `[address]:port` */
export function formatDestination({ name, address = "", port }: Destination): string {
  if (name !== undefined) return `${name}:${port}`;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
