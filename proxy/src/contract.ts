import { PolicySource } from "@sallyport/core/policy-source";
import * as z from "zod";

/**
 * What the sidecar reads: `--config FILE` (its `policy` is re-read when the file changes), or else the JSON text in
 * `SALLYPORT_PROXY_CONFIG`. The controller writes it in these types.
 */
export const PROXY_CONFIG_ENV = "SALLYPORT_PROXY_CONFIG";
/** The pod's name and namespace, for the records (downward API). */
export const POD_NAME_ENV = "POD_NAME";
export const POD_NAMESPACE_ENV = "POD_NAMESPACE";

/** The ports a sidecar takes in its pod; no container of the user's may declare one of them. */
export const PORTS = {
  outbound: 15_001, // loopback only: where iptables sends TCP
  inbound: 15_006, // reserved
  admin: 15_000, // loopback only, GET only
  ready: 15_021, // the pod's address: /ready and /metrics
} as const;

const Port = z.int().min(0).max(65_535);
const Milliseconds = z.int().min(0).max(86_400_000);

export const ProxyConfig = z.strictObject({
  /** The version that has written it: keys that only the next or the last minor version knows are passed over. */
  madeBy: z.string().optional(),
  /** 0 lets the kernel choose; what was chosen is logged. */
  ports: z
    .strictObject({
      outbound: Port.default(PORTS.outbound),
      admin: Port.default(PORTS.admin),
      ready: Port.default(PORTS.ready),
    })
    .prefault({}),
  /** The user and group whose packets iptables spares; the sidecar refuses to start as anybody else. */
  user: z.strictObject({ uid: z.int().min(1), gid: z.int().min(1) }).optional(),
  /** Without one, everything passes and is recorded. Where there is `control`, only its resolvers count. */
  policy: PolicySource.prefault({}),
  /** Who gives the policy: it comes by a stream (core/src/delivery.ts), and nothing is permitted before it has come. */
  control: z
    .strictObject({
      /** The Service in front of the controllers, whole: `sallyport.sallyport-system.svc.cluster.local`. */
      host: z.string().min(1),
      port: Port.min(1),
      /** PEM: whom alone to trust there. */
      ca: z.string().min(1),
      /** The pod's token, which the kubelet renews. */
      tokenFile: z.string().min(1),
      /** A folder of the sidecar's own: the last snapshot is kept there for its next start. */
      stateDir: z.string().min(1).optional(),
    })
    .optional(),
  limits: z
    .strictObject({
      /** Open connections; one more is reset (`denied.limit`). Each costs two file descriptors. */
      connections: z.int().min(1).max(500_000).default(8_192),
      connectTimeoutMs: Milliseconds.min(1).default(5_000),
      /** How long a connection waits for its verdict, should the sidecar be too busy to give one. */
      verdictTimeoutMs: Milliseconds.min(1).default(10_000),
      /** Without a byte either way; 0: for ever. Keepalive finds peers that are gone. */
      idleTimeoutMs: Milliseconds.default(0),
      /** The same, once one side has ended; 0: for ever. */
      halfClosedTimeoutMs: Milliseconds.default(3_600_000),
      keepaliveSeconds: z.int().min(0).max(32_767).default(60),
    })
    .prefault({}),
  /** For an app's first bytes, where a name decides; nobody else waits. */
  waits: z
    .strictObject({
      /** For an app that says nothing. */
      silentMs: Milliseconds.min(1).default(10_000),
      /** The same, and for all of its beginning, where it is refused whatever it says, or audit mode only watches. */
      refusedMs: Milliseconds.min(1).default(200),
      /** For the rest of a beginning. */
      unfinishedMs: Milliseconds.min(1).default(5_000),
    })
    .prefault({}),
  /** Of HTTP that is judged request by request. */
  http: z
    .strictObject({
      /** Of one request's or response's head, in bytes; of its fields; and of a request's target. More is refused (431, 414, 502). */
      headBytes: z.int().min(1_024).max(65_536).default(65_536),
      headFields: z.int().min(8).max(1_000).default(256),
      targetBytes: z.int().min(256).max(65_536).default(16_384),
      /** Between two requests of an app's connection; 0: for ever. */
      idleTimeoutMs: Milliseconds.default(3_600_000),
      /** Without a byte either way while a request is answered, and in a WebSocket; 0: for ever. */
      exchangeTimeoutMs: Milliseconds.default(3_600_000),
      /** An app's connection older than this ends with its next response; 0: none does. */
      connectionTimeoutMs: Milliseconds.default(0),
      /** Connections to destinations that are kept for the next one to go there, in all and to one of them. */
      idleUpstreams: z.int().min(0).max(10_000).default(256),
      idleUpstreamsEach: z.int().min(0).max(10_000).default(64),
      idleUpstreamTimeoutMs: Milliseconds.default(15_000),
    })
    .prefault({}),
  /** TLS that the sidecar speaks for an app (`https`). */
  upstreamTls: z
    .strictObject({
      /** PEM files of authorities that are trusted beside the well-known ones; read again when they change. */
      caFiles: z.array(z.string().min(1)).default([]),
      handshakeTimeoutMs: Milliseconds.min(1).default(10_000),
    })
    .prefault({}),
  /** Native threads that accept and relay. One moves more than a small node's network; JavaScript judges for all. */
  threads: z.int().min(1).max(16).default(1),
  /** After SIGTERM: new connections are taken for `minMs`, open ones may go on for `maxMs`. */
  drain: z
    .strictObject({
      minMs: Milliseconds.default(0),
      maxMs: Milliseconds.default(25_000),
    })
    .prefault({}),
  accessLog: z
    .strictObject({
      select: z.enum(["all", "denied", "off"]).default("all"),
      /** What may wait for a slow reader of the log; beyond it lines are dropped and counted. */
      queueBytes: z.int().min(4_096).max(1_073_741_824).default(1_048_576),
    })
    .prefault({}),
  logLevel: z.enum(["error", "warn", "info", "debug"]).default("info"),
});
export type ProxyConfig = z.output<typeof ProxyConfig>;
export type ProxyConfigInput = z.input<typeof ProxyConfig>;
