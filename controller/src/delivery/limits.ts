import { DELIVERY_LIMITS } from "@sallyport/core/delivery";

/** What sidecars, and whoever else reaches the port, can take of a controller at most. */
export const LIMITS = {
  /** For the 512 MB of the chart; docs/adr/010-delivery.md says what one costs. */
  streams: 4_000,
  /** Connections that have not shown yet whose they are: in all, of one address, and for how long. */
  strangers: 2_048,
  strangersEach: 32,
  strangerMs: 10_000,
  /** TLS handshakes at once, how long one holds up the next at most, and how long one waits for its turn. */
  handshakes: 64,
  handshakeTurnMs: 1_000,
  handshakeWaitMs: 4_000,
  /** A request's head, with its token. */
  headBytes: 24 << 10,
  lineBytes: DELIVERY_LIMITS.sidecarLineBytes,
  snapshotBytes: DELIVERY_LIMITS.controllerLineBytes,
  /** What a sidecar may say in the long run and at once; beyond it is read later. */
  bytesPerSecond: 64 << 10,
  burstBytes: 512 << 10,
  /** From the 101 to the hello. */
  helloMs: 10_000,
  beatMs: DELIVERY_LIMITS.beatMs,
  silentMs: DELIVERY_LIMITS.silentMs,
  /** A sidecar that takes nothing of what is sent, and one that does not say what became of it. */
  stalledMs: 30_000,
  answerMs: 60_000,
  /** After our last line, for the sidecar to end its side. */
  endMs: 5_000,
  /** When the API server could not say, and when this controller was behind. */
  againMs: 5_000,
  behindMs: 1_000,
  /** How exactly all of these are kept. */
  wheelMs: 1_000,
  certificateMs: 5_000,
} as const;
export type Limits = { readonly [name in keyof typeof LIMITS]: number };
