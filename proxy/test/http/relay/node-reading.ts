import { createServer, type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";

/** A message as node:http has read it, complete. */
export interface NodeMessage {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly host: string;
  readonly body: string;
}

/** Bytes as a connection on which they have come and nothing else will; what is written to it goes nowhere. */
class Spoken extends Duplex {
  constructor(text: string) {
    super({ allowHalfOpen: true, read: () => {}, write: (_chunk, _encoding, done) => done() });
    this.push(Buffer.from(text, "latin1"));
    this.push(null);
  }
}

async function messageOf(incoming: IncomingMessage): Promise<NodeMessage> {
  let body = "";
  for await (const chunk of incoming) body += (chunk as Buffer).toString("latin1");
  if (!incoming.complete) throw new Error("incomplete");
  const { method = "", url: target = "", statusCode: status = 0, headers } = incoming;
  return { method, target, status, host: headers.host ?? "", body };
}

/** The requests that node:http takes it for; where it meets what it cannot read, those before. */
export async function nodeRequests(text: string): Promise<readonly NodeMessage[]> {
  const read: Promise<NodeMessage | undefined>[] = [];
  const over = Promise.withResolvers<void>();
  const server = createServer({ requireHostHeader: true }, (incoming, response) => {
    read.push(messageOf(incoming).catch(() => undefined));
    incoming.once("close", () => response.end());
  });
  const spoken = new Spoken(text);
  server.on("clientError", () => spoken.destroy());
  server.on("upgrade", () => spoken.destroy());
  server.on("connect", () => spoken.destroy());
  spoken.on("error", () => {});
  spoken.once("close", () => over.resolve());
  server.emit("connection", spoken);
  await over.promise;
  const messages = await Promise.all(read);
  const cut = messages.indexOf(undefined);
  return messages
    .slice(0, cut < 0 ? messages.length : cut)
    .filter((message) => message !== undefined);
}

/** The answer that node:http takes it for; undefined where that is none, or incomplete. */
export function nodeResponse(text: string, method: string): Promise<NodeMessage | undefined> {
  return new Promise((resolve) => {
    const spoken = new Spoken(text);
    const asked = request({ method, createConnection: () => spoken, agent: false });
    asked.on("error", () => resolve(undefined));
    asked.on("upgrade", () => resolve(undefined));
    asked.on("response", (incoming) => messageOf(incoming).then(resolve, () => resolve(undefined)));
    asked.end();
  });
}
