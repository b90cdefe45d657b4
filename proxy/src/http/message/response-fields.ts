import type { Fault } from "./fault.ts";
import { also, type Field, known } from "./fields.ts";
import { lookalike, repeated } from "./framing.ts";

/** Of our own answers alone. */
const OURS = "x-sallyport-";

export const RESPONSE_FIELDS = known([
  ...["content-length", "transfer-encoding", "content_length", "transfer_encoding", "trailer"],
  ...["connection", "keep-alive", "proxy-connection", "te", "upgrade", "sec-websocket-accept"],
  ...["www-authenticate", "persistent-auth", "proxy-authenticate", "proxy-authentication-info"],
  OURS,
]);

/** RFC 4559 §6: they authenticate a connection. */
const BINDING = /(?:^|,)[\t ]*(?:ntlm|negotiate)\b/i;

/** The fields of a response that mean something to us, by what they mean. */
export class ResponseFields {
  length: Field | undefined;
  coding: Field | undefined;
  upgrade: Field | undefined;
  accept: Field | undefined;
  /** A field of the WebSocket handshake stands twice. */
  isTwofold = false;
  bindsConnection = false;
  connection: Field[] | undefined;
  keepAlive: Field[] | undefined;
  trailer: Field[] | undefined;
  /** They never go on: for this hop (RFC 9110 §7.6.1), from a proxy (§11.7.1, §11.7.3), or words put into our mouth. */
  hop: Field[] | undefined;

  /** Sorts one in; a fault where it must not be there once more, or at all. */
  add(field: Field): Fault | undefined {
    switch (field.name) {
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
      case "connection":
        this.connection = also(this.connection, field);
        return undefined;
      case "keep-alive":
        this.keepAlive = also(this.keepAlive, field);
        return undefined;
      case "trailer":
        this.trailer = also(this.trailer, field);
        return undefined;
      case "upgrade":
        this.isTwofold ||= this.upgrade !== undefined;
        if (this.upgrade) this.hop = also(this.hop, this.upgrade);
        this.upgrade = field;
        return undefined;
      case "sec-websocket-accept":
        this.isTwofold ||= this.accept !== undefined;
        this.accept = field;
        return undefined;
      case "www-authenticate":
        this.bindsConnection ||= BINDING.test(field.raw);
        return undefined;
      case "persistent-auth":
        this.bindsConnection = true;
        return undefined;
      case OURS:
      case "te":
      case "proxy-connection":
      case "proxy-authenticate":
      case "proxy-authentication-info":
        this.hop = also(this.hop, field);
        return undefined;
      default:
        return undefined;
    }
  }
}
