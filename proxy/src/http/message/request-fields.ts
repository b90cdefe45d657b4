import { type Fault, fault } from "./fault.ts";
import { also, type Field, known } from "./fields.ts";
import { lookalike, repeated } from "./framing.ts";

export const REQUEST_FIELDS = known([
  ...["host", "content-length", "transfer-encoding", "content_length", "transfer_encoding"],
  ...["connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings"],
  ...["expect", "accept", "authorization", "proxy-authorization"],
  ...["sec-websocket-key", "sec-websocket-version"],
]);

/** The fields of a request that mean something to us, by what they mean. */
export class RequestFields {
  host: Field | undefined;
  length: Field | undefined;
  coding: Field | undefined;
  expect: Field | undefined;
  accept: Field | undefined;
  authorization: Field | undefined;
  upgrade: Field | undefined;
  key: Field | undefined;
  version: Field | undefined;
  /** A field of the WebSocket handshake stands twice. */
  isTwofold = false;
  connection: Field[] | undefined;
  te: Field[] | undefined;
  /** They never go on: for this hop (RFC 9110 §7.6.1), or for a proxy, which we are not to the app (§11.7.2). */
  hop: Field[] | undefined;

  /** Sorts one in; a fault where it must not be there once more, or at all. */
  add(field: Field): Fault | undefined {
    switch (field.name) {
      case "host":
        // RFC 9112 §3.2.
        if (this.host) return fault("more than one Host");
        this.host = field;
        return undefined;
      case "accept":
        this.accept ??= field;
        return undefined;
      case "connection":
        this.connection = also(this.connection, field);
        return undefined;
      case "content-length":
        if (this.length) return repeated(field);
        this.length = field;
        return undefined;
      case "transfer-encoding":
        if (this.coding) return repeated(field);
        this.coding = field;
        return undefined;
      case "content_length":
      case "transfer_encoding":
        return lookalike(field);
      case "authorization":
        this.authorization ??= field;
        return undefined;
      case "expect":
        if (this.expect) return fault("more than one Expect", 417);
        this.expect = field;
        return undefined;
      case "te":
        this.te = also(this.te, field);
        return undefined;
      case "upgrade":
        this.isTwofold ||= this.upgrade !== undefined;
        if (this.upgrade) this.hop = also(this.hop, this.upgrade);
        this.upgrade = field;
        return undefined;
      case "sec-websocket-key":
        this.isTwofold ||= this.key !== undefined;
        this.key = field;
        return undefined;
      case "sec-websocket-version":
        this.isTwofold ||= this.version !== undefined;
        this.version = field;
        return undefined;
      case "keep-alive":
      case "proxy-connection":
      case "http2-settings":
      case "proxy-authorization":
        this.hop = also(this.hop, field);
        return undefined;
      default:
        return undefined;
    }
  }
}
