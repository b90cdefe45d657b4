import { createServer, type Server } from "node:https";
import type { SecureContextOptions } from "node:tls";
import type { DrawIdentity } from "./admission/identity.ts";
import type { InjectionOptions } from "./admission/options.ts";
import { createApp } from "./app.ts";
import type { CertificateSource } from "./certificate-source.ts";
import type { ServingCertificate } from "./certificates.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import type { WebhookOptions } from "./webhook.ts";

/** What a client can take of the controller at most. */
export const LIMITS = {
  bodyBytes: 4 << 20, // etcd takes objects of 1.5 MiB; an UPDATE holds two
  headerBytes: 16 << 10,
  connections: 1_024,
  handshakeMs: 10_000,
  headersMs: 10_000, // from the connection, or the end of the request before
  requestMs: 15_000,
  keepAliveMs: 120_000, // longer than the 90 s for which API servers keep theirs, so that they end them
  checkMs: 1_000, // how exactly headersMs and requestMs are kept
  certificateMs: 5_000, // how often the certificate is looked after
  firstCertificateMs: 500, // and how often while there is none to serve with
} as const;
export type Limits = { readonly [name in keyof typeof LIMITS]: number };

export interface ControllerOptions {
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Absent: every address, both families. */
  readonly host?: string;
  readonly certificate: CertificateSource;
  readonly injection: InjectionOptions;
  readonly draw: DrawIdentity;
  readonly podSecurityEnforced?: WebhookOptions["podSecurityEnforced"];
  readonly finalPodsGuarded?: WebhookOptions["finalPodsGuarded"];
  readonly boundariesOver?: WebhookOptions["boundariesOver"];
  readonly network?: WebhookOptions["network"];
  readonly control?: WebhookOptions["control"];
  /** What others count, for /metrics. */
  readonly moreMetrics?: () => readonly string[];
  /** Whether this controller leads the replicas; absent where there is nothing to lead. */
  readonly leading?: (() => boolean) | undefined;
  readonly limits?: Partial<Limits>;
  readonly log: Log;
  readonly now: () => number;
}

export interface Controller {
  readonly address: string;
  readonly port: number;
  /** PEM; absent where the certificate came from files. */
  readonly ca?: string;
  /** Looks at once whether there is a newer certificate. */
  lookAgain(): Promise<void>;
  /**
   * Says at once that it is not ready, takes requests for `graceMs` more (until every API server has heard of it), then
   * ends as `close` does.
   */
  drain(graceMs: number, lastMs: number): Promise<void>;
  /** Takes no more connections, finishes the requests it has, and after `lastMs` cuts what is left. */
  close(lastMs?: number): Promise<void>;
}

/** Everything of the controller, wired; resolves when it serves. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { certificate, log, now } = options;
  const limits: Limits = { ...LIMITS, ...options.limits };
  let state: "serving" | "draining" | "closing" = "serving";

  const metrics = createMetrics();
  const app = createApp({
    injection: options.injection,
    draw: options.draw,
    ...(options.podSecurityEnforced && { podSecurityEnforced: options.podSecurityEnforced }),
    finalPodsGuarded: options.finalPodsGuarded,
    ...(options.boundariesOver && { boundariesOver: options.boundariesOver }),
    ...(options.network && { network: options.network }),
    ...(options.control && { control: options.control }),
    maxBodyBytes: limits.bodyBytes,
    log,
    now,
    notReady: () =>
      state === "serving" ? (certificate.notReady ?? expired(certificate.current, now())) : state,
    leaving: () => state !== "serving",
    admitted: metrics.admitted,
    metrics: () =>
      metrics.text({
        certificateNotAfter: certificate.current.notAfter,
        leading: options.leading?.(),
        more: options.moreMetrics?.() ?? [],
      }),
  });
  const server = createServer(
    {
      ...tlsOptions(certificate.current),
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: limits.checkMs,
    },
    app,
  );
  server.maxConnections = limits.connections;
  server.on("tlsClientError", (error, socket) => {
    log("debug", "a TLS handshake failed", { from: socket.remoteAddress, error: error.message });
  });

  const after = lookAfter(certificate, server, limits, options);
  const { address, port } = await listen(server, options);

  const close = async (lastMs: number = limits.requestMs) => {
    state = "closing";
    after.stop();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const last = setTimeout(() => server.closeAllConnections(), lastMs);
    await closed;
    clearTimeout(last);
  };
  return {
    address,
    port,
    ...(certificate.ca !== undefined && { ca: certificate.ca }),
    lookAgain: after.look,
    close,
    drain: async (graceMs, lastMs) => {
      state = "draining";
      await new Promise((resolve) => setTimeout(resolve, graceMs));
      await close(lastMs);
    },
  };
}

/** All of them every time: setSecureContext forgets what it is not told again. */
function tlsOptions({ certificate, key }: ServingCertificate): SecureContextOptions {
  return { cert: certificate, key, minVersion: "TLSv1.2" };
}

function expired({ notBefore, notAfter }: ServingCertificate, nowMs: number): string | undefined {
  if (nowMs < notBefore.getTime())
    return `the serving certificate is not valid before ${notBefore.toISOString()}`;
  if (nowMs > notAfter.getTime())
    return `the serving certificate was valid until ${notAfter.toISOString()}`;
  return undefined;
}

/** New connections are given the new certificate; open ones go on with the one they have. */
function lookAfter(
  certificate: CertificateSource,
  server: Server,
  { certificateMs, firstCertificateMs }: Limits,
  { log, now }: Pick<ControllerOptions, "log" | "now">,
) {
  let stopped = false;
  let next: NodeJS.Timeout | undefined;
  const refresh = async () => {
    try {
      if (!(await certificate.refresh(now()))) return;
      server.setSecureContext(tlsOptions(certificate.current));
      log("info", "serving with a new certificate", {
        notAfter: certificate.current.notAfter.toISOString(),
      });
    } catch (error) {
      log("error", "cannot renew the certificate", { error: (error as Error).message });
    }
  };
  // One look at a time: a slow one is not overtaken by the next.
  let looking = Promise.resolve();
  const look = () => {
    looking = looking.then(refresh);
    return looking;
  };
  const again = () => {
    if (stopped) return;
    const everyMs = certificate.notReady === undefined ? certificateMs : firstCertificateMs;
    next = setTimeout(() => void look().then(again), everyMs).unref();
  };
  again();
  return {
    look,
    stop: () => {
      stopped = true;
      clearTimeout(next);
    },
  };
}
