import type { Match } from "./clauses.ts";
import type { Endpoint, LedOut } from "./leading-out.ts";
import type { AllowReason, DenyReason } from "./reasons.ts";

export type Protocol = "tls" | "http" | "http2" | "opaque" | "silent";

/** What an app's first bytes have shown. */
export interface Seen {
  readonly protocol: Protocol;
  /** Canonical (hostname.ts): the SNI, or the Host of a request. */
  readonly name?: string | undefined;
  /** A name was given that no host can match, printable. */
  readonly invalidName?: string | undefined;
  /** What is wrong with the protocol's own framing. */
  readonly malformed?: string | undefined;
  /** And that is only that it is longer than is taken. */
  readonly isTooLarge?: boolean | undefined;
}

/** The proxy's own resolution, as far as it is known. */
export interface Answers {
  /** Undefined where it is not known; empty where the name has none. */
  addressesOf(name: string): readonly string[] | undefined;
  /** Whether it was asked for and nobody answered: no address is known of it, and that says nothing. */
  isUnanswered?(name: string): boolean;
  /** Kept names, the policy's `tcpNames`, that have lately been answered with this address. */
  namesOf(address: string): readonly string[];
}

/** What is known of a connection when it is judged. */
export interface Attempt {
  /** The address that the app dialled, in its canonical spelling (address.ts). */
  readonly address: string;
  readonly port: number;
  /** Undefined where nobody has looked. */
  readonly seen?: Seen | undefined;
  readonly answers?: Answers | undefined;
  /** With which of a Service's endpoints to begin: another for each connection. */
  readonly turn?: number | undefined;
  /** To where the Service led that was dialled, where that is known otherwise than by the policy. */
  readonly led?: LedOut | undefined;
}

/** The app's connection may go on. */
export interface Allowed {
  readonly verdict: "allow";
  readonly reason: AllowReason;
  /** What allows it; absent where audit mode does, or the cluster is its own reason. */
  readonly match?: Match;
  /** Exactly the addresses that may be dialled, in order of preference. */
  readonly dial: readonly string[];
  /** The port to dial, where it need not be the app's: of an endpoint of `service`. */
  readonly port?: number;
  /** What the app dialled is a Service that leads out of the cluster: `dial` are endpoints of it. */
  readonly service?: LedOut;
  /** The app speaks HTTP, the destination TLS, to be verified for the external name or else for the name given. */
  readonly originate?: true;
  /** The name given is that of a Service of type ExternalName: this is what it stands for, and by what it was judged. */
  readonly externalName?: string;
  /** In audit mode: what enforce mode would have said. */
  readonly wouldBe?: Denied;
}

export interface Denied {
  readonly verdict: "deny";
  readonly reason: DenyReason | "failed.dns";
  /** The boundary that refuses it, where one does. */
  readonly boundary?: string;
  /** What the app dialled is a Service that leads out of the cluster, */
  readonly service?: LedOut;
  /** and this endpoint of it is what is refused; absent where it has none on this port, or is itself denied. */
  readonly endpoint?: Endpoint;
}

export type Verdict = Allowed | Denied;

/** What it lacks, it asks for: look at the first bytes, or resolve these names, and ask again. */
export type Decision =
  | Verdict
  | { readonly verdict: "needs_name" }
  | { readonly verdict: "needs_addresses"; readonly names: readonly string[] };
