import type { IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { DELIVERY_PATH, DELIVERY_PROTOCOL } from "@sallyport/core/delivery";
import type { ServingCertificate } from "../certificates.ts";
import { listen } from "../listen.ts";
import type { Log } from "../log.ts";
import type { Snapshots } from "../rules/snapshots.ts";
import { enter } from "./entrance.ts";
import { deliveryMetrics, Figures } from "./figures.ts";
import type { Fleet } from "./fleet.ts";
import { Handshakes } from "./handshakes.ts";
import { LIMITS, type Limits } from "./limits.ts";
import type { PolicyCertificate } from "./policy-certificate.ts";
import { type RefusalCode, refusalResponse } from "./refusals.ts";
import type { Reviewer } from "./reviewer.ts";
import { Strangers } from "./strangers.ts";
import { Streams } from "./streams.ts";

export interface PolicyServerOptions {
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Absent: every address, both families. */
  readonly host?: string | undefined;
  readonly certificate: PolicyCertificate;
  readonly snapshots: Snapshots;
  readonly reviewer: Reviewer;
  readonly limits?: Partial<Limits> | undefined;
  readonly log: Log;
}

export interface PolicyServer {
  readonly address: string;
  readonly port: number;
  readonly fleet: Fleet;
  /** For /metrics. */
  metrics(): string[];
  /** Looks at once whether there is another certificate to serve. */
  lookAgain(): Promise<void>;
  /** Gives no new streams, ends those there are over so long, and then everything. */
  drain(overMs: number): Promise<void>;
  /** Cuts whatever there is. */
  close(): Promise<void>;
}

const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${DELIVERY_PROTOCOL}\r\n\r\n`;

/** Gives sidecars their policy (core/src/delivery.ts); resolves when it listens. */
export async function servePolicy(options: PolicyServerOptions): Promise<PolicyServer> {
  const { certificate, snapshots, reviewer, log } = options;
  const limits: Limits = { ...LIMITS, ...options.limits };
  const figures = new Figures();
  const streams = new Streams({ snapshots, reviewer, figures, limits, log });
  const strangers = new Strangers(limits, figures);
  let leaving = false;

  const refuse = (socket: Duplex, code: RefusalCode, why?: string) => {
    figures.refuse(code);
    log("debug", "a stream is refused", { code, why, from: addressOf(socket) });
    socket.end(refusalResponse(code, why));
  };
  const noRoom = () => {
    if (leaving) return "leaving";
    return streams.size >= limits.streams ? "full" : undefined;
  };
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", destroyed);
    const entrance = await enter(request, { snapshots, reviewer, noRoom });
    if (socket.destroyed) return;
    if ("refused" in entrance) return refuse(socket, entrance.refused, entrance.why);
    // Others have come while the token was reviewed.
    const without = noRoom();
    if (without) return refuse(socket, without);
    strangers.known(socket as Socket);
    if (head.length > 0) socket.unshift(head);
    socket.write(SWITCHING);
    streams.open(socket, entrance.accepted, entrance.token);
  };

  // It never listens itself: who comes is counted before anything is spent on them.
  const tls = createTlsServer({
    ...secureContext(certificate.current),
    minVersion: "TLSv1.2",
    maxHeaderSize: limits.headBytes,
    // The strangers' own time is over before.
    handshakeTimeout: 2 * limits.strangerMs,
  });
  tls.on("upgrade", (request, socket, head) => {
    upgrade(request, socket, head).catch((error: Error) => {
      log("error", "a stream could not be opened", { error: error.stack });
      socket.destroy();
    });
  });
  tls.on("request", (request) => {
    const code = request.url === DELIVERY_PATH ? "no_upgrade" : "not_here";
    refuse(request.socket, code);
  });
  tls.on("tlsClientError", (error, socket) => {
    log("debug", "a TLS handshake failed", { from: socket.remoteAddress, error: error.message });
    socket.destroy();
  });
  tls.on("secureConnection", (socket) => handshakes.done(socket));
  const handshakes = new Handshakes(limits, figures, (socket) => {
    // Node keeps, for as long as a TLS socket lives, a buffer of the size of the first bytes that it is given, and one of
    // 64 KB where it reads them itself (src/crypto/crypto_bio.cc, TryAllocateForWrite).
    socket.once("readable", () => {
      if (socket.readableLength > 0) tls.emit("connection", socket);
      else socket.destroy();
    });
  });
  const front = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", destroyed);
    if (strangers.admit(socket)) handshakes.add(socket);
  });
  front.maxConnections = limits.streams + 2 * limits.strangers;

  const lookAgain = async () => {
    try {
      if (!(await certificate.refresh(Date.now()))) return;
      tls.setSecureContext(secureContext(certificate.current));
      log("info", "serving policy with a new certificate", {
        notAfter: certificate.current?.notAfter.toISOString(),
      });
    } catch (error) {
      log("error", "cannot renew the policy certificate", { error: (error as Error).message });
    }
  };
  await lookAgain();
  const renewal = setInterval(() => void lookAgain(), limits.certificateMs).unref();
  const wheel = setInterval(() => {
    const now = performance.now();
    strangers.look(now);
    handshakes.look(now);
  }, limits.wheelMs).unref();
  const { address, port } = await listen(front, options);
  // One connection that cannot be taken is no reason to end.
  front.on("error", (error) =>
    log("error", "a connection was not taken", { error: error.message }),
  );

  const close = async () => {
    leaving = true;
    clearInterval(renewal);
    clearInterval(wheel);
    const closed = new Promise((resolve) => front.close(resolve));
    strangers.close();
    streams.close();
    await closed;
  };
  return {
    ...{ address, port, fleet: streams, lookAgain, close },
    metrics: () =>
      deliveryMetrics(figures, {
        streams: streams.streams,
        strangers: strangers.size,
        knowing: snapshots.notReady === undefined,
        reviews: reviewer.counts,
      }),
    drain: async (overMs) => {
      leaving = true;
      await streams.leave(overMs);
      await new Promise((resolve) => setTimeout(resolve, Math.min(overMs, LAST_WORDS_MS)));
      await close();
    },
  };
}

/** No closure: it would keep the request, with its token, as long as the stream. */
function destroyed(this: Duplex) {
  this.destroy();
}

/** For a last line to arrive. */
const LAST_WORDS_MS = 500;

/** Without one, handshakes fail: nobody could trust it. */
function secureContext(serving: ServingCertificate | undefined): SecureContextOptions {
  return {
    minVersion: "TLSv1.2",
    ...(serving && { cert: serving.certificate, key: serving.key }),
  };
}

const addressOf = (socket: Duplex) => (socket as Partial<Socket>).remoteAddress;
