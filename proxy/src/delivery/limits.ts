import { DELIVERY_LIMITS } from "@sallyport/core/delivery";

/** How patient the sidecar is with the controllers. */
export const STREAM_LIMITS = {
  ...DELIVERY_LIMITS,
  connectMs: 5_000,
  handshakeMs: 10_000,
  /** From the request to the whole of the answer's head; a controller may have to ask the API server first. */
  answerMs: 20_000,
  /** How often it is looked after what is due: a report, a beat, a newer token. */
  tickMs: 5_000,
  /** A stream that has lasted so long was a good one: after it, failures are counted anew. */
  goodMs: 10_000,
  /** What the server has not read yet; reports wait for it. */
  unreadBytes: 256 << 10,
  /** Of a server's own words that are told on. */
  toldCharacters: 300,
} as const;
export type StreamLimits = { readonly [name in keyof typeof STREAM_LIMITS]: number };
