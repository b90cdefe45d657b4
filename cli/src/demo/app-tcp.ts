import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Attempt, Outcome, Seen } from "./attempt.ts";
import { DOWNLOAD, GREETING } from "./world.ts";

const ECHOED = Buffer.alloc(1 << 20, "over and out ");
export const TIMEOUT_MS = 5_000;

interface Exchange {
  readonly say: Buffer;
  good(answer: Buffer): boolean;
}

/** What to say, and what must come back. */
const EXCHANGES = {
  tls: ({ address, reaches = address, name }) => ({
    say: Buffer.alloc(0),
    good: (answer) => answer.toString() === `you reached ${reaches} as ${name}\n`,
  }),
  greeting: () => ({
    say: Buffer.from("QUIT\r\n"),
    good: (answer) => answer.toString() === `${GREETING}221 bye\r\n`,
  }),
  download: () => ({
    say: Buffer.alloc(0),
    good: (answer) => answer.equals(Buffer.alloc(DOWNLOAD.bytes, DOWNLOAD.pattern)),
  }),
  echo: () => ({ say: ECHOED, good: (answer) => answer.equals(ECHOED) }),
} satisfies Record<string, (attempt: Attempt) => Exchange>;

/** `ca`, PEM, is whom it trusts. */
export function overTcp(
  attempt: Attempt,
  exchange: keyof typeof EXCHANGES,
  ca: string,
): Promise<Seen> {
  const { address: host, port, name } = attempt;
  const { say, good } = EXCHANGES[exchange](attempt);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const isTls = exchange === "tls";
    const socket: Socket = isTls
      ? connectTls({ host, port, ca, ...(name && { servername: name }) })
      : connect({ host, port, allowHalfOpen: true });
    const done = (outcome: Outcome) => {
      // What TLS adds, only the wire has.
      resolve({ outcome, ...(!isTls && { received: Buffer.concat(chunks).length }) });
      socket.destroy();
    };
    // A server that speaks first is listened to first.
    const speak = () => socket.end(say);
    if (exchange === "greeting") socket.once("data", speak);
    else socket.once(isTls ? "secureConnect" : "connect", speak);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("end", () => done(good(Buffer.concat(chunks)) ? "answered" : "wrong answer"));
    socket.once("error", (error: NodeJS.ErrnoException) => done(outcomeOfError(error)));
    socket.setTimeout(TIMEOUT_MS, () => done("no answer"));
  });
}

/** OpenSSL names the alert that it was sent: access_denied (RFC 8446 §6.2). */
export function outcomeOfError({ code, message }: NodeJS.ErrnoException): Outcome {
  if (code === "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED" || /alert access denied/.test(message))
    return "TLS alert";
  if (code === "ABORT_ERR") return "no answer"; // a signal's, when the time is up
  return code === "ECONNRESET" || code === "EPIPE" ? "reset" : "refused";
}
