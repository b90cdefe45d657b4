import { type Authority, authorityOf } from "../../sniff/host.ts";
import { printable } from "../../sniff/name-given.ts";
import { type Fault, fault, quoted } from "./fault.ts";

const MAX_SHOWN = 1_024;

export interface Target {
  readonly kind: "target";
  /** As it is sent on: a path with its query, or `*`. */
  readonly text: string;
  /** Where it named one: it must agree with the Host. */
  readonly authority?: Authority;
  /** Its scheme's. */
  readonly defaultPort: number;
}

/**
 * The forms of RFC 9112 §3.2 but for CONNECT's. An absolute one is for proxies; the destination is asked for the path
 * alone, and for all of it where OPTIONS names none (§3.2.4).
 */
export function targetOf(method: string, text: string): Target | Fault {
  if (text.startsWith("/")) return { kind: "target", text, defaultPort: 80 };
  if (text === "*")
    return method === "OPTIONS"
      ? { kind: "target", text, defaultPort: 80 }
      : fault(`the target * is for OPTIONS, not for ${method}`);
  const [, secure, host, path = ""] = /^http(s?):\/\/([^/?]*)(.*)$/i.exec(text) ?? [];
  if (host === undefined) return fault(`not a request target: ${quoted(text)}`);
  const authority = authorityOf(host);
  if (!authority) return fault(`not a host in the target: ${quoted(text)}`);
  const defaultPort = secure ? 443 : 80;
  return { kind: "target", text: pathOf(method, path), authority, defaultPort };
}

function pathOf(method: string, path: string): string {
  if (path === "" && method === "OPTIONS") return "*";
  return path.startsWith("/") ? path : `/${path}`;
}

/** For records: without the query, printable, and cut where it is very long. */
export function shownPath(target: string): string {
  const query = target.indexOf("?");
  return printable(query < 0 ? target : target.slice(0, query), MAX_SHOWN);
}
