/**
 * The app of the demo, an ordinary program that knows of no proxy: makes the attempts given as JSON in its argument, one
 * after the other, and prints what it saw of each as one JSON line. With `hold`, it opens one connection instead, and says
 * when it is open and how it ended.
 */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Attempt, Outcome } from "./attempts.ts";
import { DOWNLOAD, GREETING } from "./world.ts";

export interface Seen {
  readonly outcome: Outcome;
  readonly sent: number;
  readonly received: number;
  /** What a refusal said. */
  readonly told?: string;
}

/** The app's argument. */
export interface Task {
  readonly attempts: readonly Attempt[];
  /** PEM: whom it trusts. */
  readonly ca: string;
  readonly hold?: { readonly address: string; readonly port: number };
}

const ECHOED = Buffer.alloc(1 << 20, "over and out ");
const TIMEOUT_MS = 5_000;

interface Exchange {
  readonly say: Buffer;
  good(answer: Buffer): boolean;
}

/** What to say, and what must come back. */
const EXCHANGES: Readonly<Record<string, (attempt: Attempt) => Exchange>> = {
  http: ({ name = "demo" }) => ({
    say: Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`),
    good: (answer) => /^HTTP\/1\.1 200 /.test(answer.toString()),
  }),
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
};

const { attempts, ca, hold }: Task = JSON.parse(process.argv[2] ?? "{}");

function overTcp(attempt: Attempt): Promise<Seen> {
  const { address: host, port, exchange, name } = attempt;
  const { say, good } = EXCHANGES[exchange]?.(attempt) ?? {
    say: Buffer.alloc(0),
    good: () => false,
  };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const isTls = exchange === "tls";
    const socket: Socket = isTls
      ? connectTls({ host, port, ca, ...(name && { servername: name }) })
      : connect({ host, port, allowHalfOpen: true });
    const done = (outcome: Outcome) => {
      const answer = Buffer.concat(chunks);
      resolve({
        ...{ outcome, sent: outcome === "answered" ? say.length : 0, received: answer.length },
        ...(outcome === "403" && { told: answer.toString().split("\r\n\r\n")[1] ?? "" }),
      });
      socket.destroy();
    };
    // A server that speaks first is listened to first.
    const speak = () => socket.end(say);
    if (exchange === "greeting") socket.once("data", speak);
    else socket.once(isTls ? "secureConnect" : "connect", speak);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("end", () => done(outcomeOf(Buffer.concat(chunks), good)));
    socket.once("error", (error: NodeJS.ErrnoException) => done(outcomeOfError(error)));
    socket.setTimeout(TIMEOUT_MS, () => done("no answer"));
  });
}

function outcomeOf(answer: Buffer, good: (answer: Buffer) => boolean): Outcome {
  if (good(answer)) return "answered";
  return answer.toString("latin1", 0, 13) === "HTTP/1.1 403 " ? "403" : "wrong answer";
}

/** OpenSSL names the alert that it was sent: access_denied (RFC 8446 §6.2). */
function outcomeOfError({ code, message }: NodeJS.ErrnoException): Outcome {
  if (code === "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED" || /alert access denied/.test(message))
    return "TLS alert";
  return code === "ECONNRESET" || code === "EPIPE" ? "reset" : "refused";
}

function overUdp({ address, port }: Attempt): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const done = (outcome: Outcome, received = 0) => {
      clearTimeout(timer);
      socket.close();
      resolve({ outcome, sent: outcome === "answered" ? 5 : 0, received });
    };
    const timer = setTimeout(() => done("no answer"), TIMEOUT_MS);
    socket.once("error", () => done("refused"));
    socket.once("message", (message) => done("answered", message.length));
    socket.connect(port, address, () => socket.send("hello"));
  });
}

async function lookUp({ address, port }: Attempt): Promise<Seen> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  try {
    const answers = await resolver.resolve4("api.example.com");
    return { outcome: "answered", sent: 0, received: answers.length };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { outcome: code === "ECONNREFUSED" ? "refused" : "no answer", sent: 0, received: 0 };
  }
}

function make(attempt: Attempt): Promise<Seen> {
  if (attempt.exchange === "lookup") return lookUp(attempt);
  return attempt.protocol === "udp" ? overUdp(attempt) : overTcp(attempt);
}

/** Open for as long as it is let: `open` once a byte has come back, then how it ended. */
function holdOpen({ address: host, port }: NonNullable<Task["hold"]>): void {
  const socket = connect({ host, port }, () => socket.write("hold"));
  socket.once("data", () => console.log("open"));
  socket.once("error", ({ code }: NodeJS.ErrnoException) => console.log(code));
  socket.once("end", () => console.log("end"));
}

async function main(): Promise<void> {
  for (const attempt of attempts) console.log(JSON.stringify(await make(attempt)));
  if (hold) holdOpen(hold);
}

main();
