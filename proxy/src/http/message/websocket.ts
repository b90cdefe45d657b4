import { type Field, says, trimmed } from "./fields.ts";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64: the last digit before the padding carries two bits. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** What a handshake says beside its method and version. */
export interface Handshake {
  /** One of the three stands more than once. */
  readonly isTwofold: boolean;
  readonly upgrade: Field | undefined;
  readonly version: Field | undefined;
  readonly key: Field | undefined;
}

/** The key of a sound handshake (RFC 6455 §4.1); undefined where it is none: then it is a request like any other. */
export function handshakeKey({ isTwofold, upgrade, version, key }: Handshake): string | undefined {
  if (isTwofold || !upgrade || !version || !key) return undefined;
  const nonce = trimmed(key.raw);
  return says(upgrade, "websocket") && says(version, "13") && KEY.test(nonce) ? nonce : undefined;
}

/** What a server that has understood the key answers (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  // Loaded for the first handshake: most sidecars see none.
  const { hash } = process.getBuiltinModule("node:crypto");
  return hash("sha1", key + GUID, "base64");
}

/** Whether an answer switches to WebSocket, and to nothing else. */
export function switches(
  upgrade: Field | undefined,
  accept: Field | undefined,
  key: string,
): boolean {
  if (!upgrade || !accept) return false;
  return says(upgrade, "websocket") && trimmed(accept.raw) === acceptOf(key);
}
