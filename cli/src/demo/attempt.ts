import type { Reason } from "@sallyport/core/reasons";
import type { DecisionRecord } from "@sallyport/core/record";

/** What the app sees of an attempt. */
export type Outcome =
  | "answered"
  | "reset"
  | "refused"
  | "TLS alert"
  | "403"
  | "502"
  | "wrong answer"
  | "no answer";

/** What the app saw. */
export interface Seen {
  readonly outcome: Outcome;
  /** Bytes that came back, as far as the app counts them. */
  readonly received?: number;
  /** What a refusal said. */
  readonly told?: string;
}

/** One thing that the app tries, and what must come of it. */
export interface Attempt {
  readonly what: string;
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly exchange:
    | "http"
    | "websocket"
    | "tls"
    | "download"
    | "echo"
    | "greeting"
    | "datagram"
    | "lookup";
  /** The SNI, or the Host. */
  readonly name?: string;
  /** Of HTTP: attempts that have one in common go over one connection, which is kept open. */
  readonly connection?: string;
  /** Where it must arrive, if not at the address dialled; and by which name, if not by the one given. */
  readonly reaches?: string;
  readonly arrivesAs?: string;
  readonly app: Outcome;
  /** The reason in the sidecar's record; undefined where the sidecar must not be asked at all. */
  readonly sidecar: Reason | undefined;
  /** What else the record must say. */
  readonly record?: Partial<DecisionRecord>;
  /** What the app was told is shown below the table. */
  readonly isTold?: true;
}
