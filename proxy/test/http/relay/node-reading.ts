import { createServer, type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";
import { turn } from "./app.ts";

/** A message as node:http has read it, complete. */
export interface NodeMessage {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly host: string;
  readonly body: string;
}

/** A connection on which so much has come; what is written to it goes nowhere. */
class Spoken extends Duplex {
  constructor(text: string, ends: boolean) {
    super({ read: () => {}, write: (_chunk, _encoding, done) => done() });
    this.push(Buffer.from(text, "latin1"));
    if (ends) this.push(null);
    this.on("error", () => {});
  }
}

/** A message that is being read. */
class Incoming {
  readonly message: IncomingMessage;
  #body = "";

  constructor(message: IncomingMessage) {
    this.message = message;
    message.on("data", (chunk: Buffer) => {
      this.#body += chunk.toString("latin1");
    });
    message.on("error", () => {});
  }

  /** Undefined where it is not complete. */
  get read(): NodeMessage | undefined {
    const {
      complete,
      method = "",
      url: target = "",
      statusCode: status = 0,
      headers,
    } = this.message;
    if (!complete) return undefined;
    return { method, target, status, host: headers.host ?? "", body: this.#body };
  }
}

/** Turns of the loop until a stream in memory has been read to its end. */
const TURNS = 6;

/** The requests that node:http reads in it; where it meets what it cannot read, those before. */
export async function nodeRequests(text: string): Promise<readonly NodeMessage[]> {
  const incoming: Incoming[] = [];
  const take = (message: IncomingMessage) => incoming.push(new Incoming(message));
  const server = createServer({ maxHeaderSize: 65_536 }, (message, response) => {
    take(message);
    response.end();
  });
  server.on("checkContinue", (message, response) => {
    take(message);
    response.end();
  });
  const spoken = new Spoken(text, false);
  for (const event of ["clientError", "upgrade", "connect"])
    server.on(event, () => spoken.destroy());
  server.emit("connection", spoken);
  for (let i = 0; i < TURNS; i++) await turn();
  spoken.destroy();
  const read = incoming.map((each) => each.read);
  const unread = read.indexOf(undefined);
  return read.slice(0, unread < 0 ? undefined : unread).filter((each) => each !== undefined);
}

/** The answer that node:http reads in it; undefined where there is none, or an incomplete one. */
export async function nodeResponse(
  text: string,
  method: string,
  hasEnded: boolean,
): Promise<NodeMessage | undefined> {
  let incoming: Incoming | undefined;
  const spoken = new Spoken(text, hasEnded);
  const asked = request({ method, createConnection: () => spoken, maxHeaderSize: 65_536 });
  asked.on("error", () => {});
  asked.on("response", (message) => {
    incoming = new Incoming(message);
  });
  asked.end();
  for (let i = 0; i < TURNS; i++) await turn();
  const read = incoming?.read;
  spoken.destroy();
  return read;
}
