import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import {
  handshakeFailure,
  handshakeTimeout,
  type TlsFailure,
  verifyFailure,
} from "./tls-failure.ts";

/** Loaded for the first connection that needs it: most sidecars never do. */
const tls = () => process.getBuiltinModule("node:tls");

/** Sessions that are kept to be resumed, of all names together; each is worth a few KB and one round trip. */
const MAX_SESSIONS = 256;

/**
 * TLS for an app that speaks HTTP: verified, always. Trusted are the roots that Node comes with (Mozilla's) and the
 * authorities given; there is no way to leave out a check.
 */
export class Originator {
  #authorities: readonly string[];
  readonly #handshakeMs: number;
  #context: SecureContext | undefined;
  /** By name and port, the oldest first. */
  #sessions = new Map<string, Session>();
  #generation = 0;

  /** `authorities`: certificates in PEM, each by itself, trusted beside the roots. */
  constructor(authorities: readonly string[], handshakeMs: number) {
    this.#authorities = authorities;
    this.#handshakeMs = handshakeMs;
  }

  /** Another number when others are trusted: what was verified before tells nothing now. */
  get generation(): number {
    return this.#generation;
  }

  /** From now on these: nothing that was verified by others is resumed. */
  trust(authorities: readonly string[]): void {
    this.#generation++;
    this.#authorities = authorities;
    this.#context = undefined;
    // What still comes of old handshakes goes to the old ones.
    this.#sessions = new Map();
  }

  /**
   * Speaks TLS on a connected socket, for a canonical name. On a failure the socket is closed, and so it is when `gone` says
   * that nobody waits for it any more.
   */
  wrap(
    socket: Socket,
    name: string,
    port: number,
    gone: AbortSignal,
  ): Promise<TLSSocket | TlsFailure> {
    const key = `${name} ${port}`;
    const session = this.#sessionOf(key);
    const secured = tls().connect({
      socket,
      servername: name,
      secureContext: this.#secureContext(),
      ALPNProtocols: ["http/1.1"],
      ...(session && { session }),
      // Node would close it without a word on the certificate: what is not authorized is closed below, before a byte is sent.
      rejectUnauthorized: false,
    });
    // A resumed session is not checked against the name again: none is kept before that has been done.
    const tickets = this.#ticketsOf(secured, key);
    return new Promise((resolve) => {
      const settle = (outcome: TLSSocket | TlsFailure) => {
        clearTimeout(timer);
        gone.removeEventListener("abort", ended);
        secured.off("error", failed).off("close", ended).off("secureConnect", verified);
        if (outcome !== secured) {
          secured.on("error", () => {});
          secured.destroy();
          socket.destroy();
        }
        resolve(outcome);
      };
      const failed = (error: Error) => settle(handshakeFailure(error));
      const ended = () => settle(handshakeFailure(undefined));
      const verified = () => {
        const verdict = verdictOn(secured, name);
        if (verdict === secured) tickets.keep();
        settle(verdict);
      };
      const timer = setTimeout(
        () => settle(handshakeTimeout(this.#handshakeMs)),
        this.#handshakeMs,
      );
      gone.addEventListener("abort", ended);
      secured.once("error", failed).once("close", ended).once("secureConnect", verified);
      if (gone.aborted) ended();
    });
  }

  /** A ticket is for one connection (RFC 8446 §C.4), and stands for no longer than the certificate that was verified. */
  #sessionOf(key: string): Buffer | undefined {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    return session && Date.now() < session.untilMs ? session.ticket : undefined;
  }

  #secureContext(): SecureContext {
    if (this.#context) return this.#context;
    const { createSecureContext, getCACertificates } = tls();
    const authorities = this.#authorities;
    this.#context = createSecureContext({
      minVersion: "TLSv1.2",
      // Given any, OpenSSL's own are left out.
      ...(authorities.length > 0 && { ca: [...getCACertificates("default"), ...authorities] }),
    });
    return this.#context;
  }

  /** With TLS 1.2 a ticket comes before the handshake is over, with TLS 1.3 after it. */
  #ticketsOf(secured: TLSSocket, key: string): { keep(): void } {
    const sessions = this.#sessions;
    let isVerified = false;
    let early: Buffer | undefined;
    const keepOne = (ticket: Buffer) => {
      const untilMs = Date.parse(secured.getPeerCertificate().valid_to);
      keep(sessions, key, { ticket, untilMs });
    };
    secured.on("session", (ticket) => {
      if (isVerified) keepOne(ticket);
      else early = ticket;
    });
    return {
      keep: () => {
        isVerified = true;
        if (early) keepOne(early);
      },
    };
  }
}

interface Session {
  readonly ticket: Buffer;
  /** NaN, and so never, where there is no telling. */
  readonly untilMs: number;
}

function verdictOn(secured: TLSSocket, name: string): TLSSocket | TlsFailure {
  if (secured.authorized) return secured;
  const { authorizationError } = secured;
  const code =
    typeof authorizationError === "string" ? authorizationError : String(authorizationError);
  return verifyFailure(code, name, secured.getPeerCertificate());
}

function keep(sessions: Map<string, Session>, key: string, session: Session): void {
  sessions.delete(key);
  sessions.set(key, session);
  const [oldest] = sessions.keys();
  if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
}
