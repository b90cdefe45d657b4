/**
 * The app of the demo, an ordinary program that knows of no proxy: makes the attempts given as JSON in its argument, one
 * after the other, and prints what it saw of each as one JSON line.
 */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import type { Attempt, Outcome } from "./attempts.ts";
import { DOWNLOAD, GREETING } from "./world.ts";

export interface Seen {
  readonly outcome: Outcome;
  readonly sent: number;
  readonly received: number;
}

const ECHOED = Buffer.alloc(1 << 20, "over and out ");
const TIMEOUT_MS = 5_000;

/** What to say, whether to say it before listening, and what must come back. */
const EXCHANGES: Readonly<
  Record<string, Readonly<{ say: Buffer; good(answer: Buffer): boolean }>>
> = {
  http: {
    say: Buffer.from("GET / HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n"),
    good: (answer) => /^HTTP\/1\.1 200 /.test(answer.toString()),
  },
  greeting: {
    say: Buffer.from("QUIT\r\n"),
    good: (answer) => answer.toString() === `${GREETING}221 bye\r\n`,
  },
  download: {
    say: Buffer.alloc(0),
    good: (answer) => answer.equals(Buffer.alloc(DOWNLOAD.bytes, DOWNLOAD.pattern)),
  },
  echo: { say: ECHOED, good: (answer) => answer.equals(ECHOED) },
};

function overTcp({ address, port, exchange }: Attempt): Promise<Seen> {
  const { say, good } = EXCHANGES[exchange] ?? { say: Buffer.alloc(0), good: () => false };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket: Socket = connect({ host: address, port, allowHalfOpen: true });
    const done = (outcome: Outcome) => {
      const received = Buffer.concat(chunks).length;
      resolve({ outcome, sent: outcome === "answered" ? say.length : 0, received });
      socket.destroy();
    };
    // A server that speaks first is listened to first.
    const speak = () => socket.end(say);
    if (exchange === "greeting") socket.once("data", speak);
    else socket.once("connect", speak);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("end", () => done(good(Buffer.concat(chunks)) ? "answered" : "wrong answer"));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      done(error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "refused"),
    );
    socket.setTimeout(TIMEOUT_MS, () => done("no answer"));
  });
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

async function main(attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) console.log(JSON.stringify(await make(attempt)));
}

main(JSON.parse(process.argv[2] ?? "[]"));
