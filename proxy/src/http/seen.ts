import type { Seen } from "@sallyport/core/decision";

/** Of a request: what its Host says, or why that can match no host. */
interface HostGiven {
  readonly name?: string | undefined;
  readonly invalidName?: string | undefined;
  readonly port?: number | undefined;
}

/** What a request shows. A Host of another port than the one dialled is no name for this connection (RFC 9110 §7.2). */
export function seenIn({ name, invalidName, port }: HostGiven, dialled: number): Seen {
  return port !== undefined && port !== dialled
    ? { protocol: "http", invalidName: `${name ?? invalidName}:${port}` }
    : { protocol: "http", name, invalidName };
}

export function isSameName(a: Seen, b: Seen): boolean {
  return a.name === b.name && a.invalidName === b.invalidName;
}
