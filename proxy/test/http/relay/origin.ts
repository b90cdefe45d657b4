import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Reading, valuesOf } from "./plain-fields.ts";
import { type PlainRequest, readRequests } from "./plain-requests.ts";

/** One connection to the origin, with every byte that has come over it. */
export interface Visit {
  /** Where it came to. */
  readonly address: string;
  readonly port: number;
  readonly bytes: Buffer;
  /** `end` or the code of the error; undefined while it is open. */
  readonly how: string | undefined;
}

/** Answers a request on its socket, whatever that is. */
export type Answering = (request: PlainRequest, socket: Socket, visit: Visit) => void;

/** What shows which request was answered. */
export function marked({ method, target, body }: PlainRequest): string {
  const text = `${method} ${target} with ${body.length} bytes`;
  const head = `HTTP/1.1 200 OK\r\nX-Saw: ${text}\r\nContent-Length: ${text.length}\r\n\r\n`;
  return method === "HEAD" ? head : head + text;
}

export const answerMarked: Answering = (request, socket) => {
  socket.write(marked(request), "latin1");
  if (valuesOf(request.fields, "connection").includes("close")) socket.end();
};

/**
 * Records what comes over each connection, and answers each request as soon as it is complete, if there is but one way to
 * read it: what is unclear to it is recorded and never answered.
 */
export class RecordingOrigin {
  readonly visits: Visit[] = [];
  answering: Answering;
  /** Called when something has come, recorded and, where it was complete, answered. */
  onBytes: (visit: Visit, socket: Socket) => void = () => {};
  readonly #servers: Server[] = [];
  readonly sockets = new Set<Socket>();

  constructor(answering: Answering = answerMarked) {
    this.answering = answering;
  }

  /** Once more with each call. Gives the port. */
  async listen(port: number, host?: string): Promise<number> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#serve(socket),
    );
    this.#servers.push(server);
    server.listen({ port, host, backlog: 1_024 });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  /** On one port of two addresses, which at the other may be somebody else's. */
  async listenOnBoth(one: string, other: string): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = await this.listen(0, one);
      try {
        return await this.listen(port, other);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EADDRINUSE" || attempt === 20) throw error;
      }
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    const visit = {
      address: socket.localAddress ?? "",
      port: socket.localPort ?? 0,
      bytes: Buffer.alloc(0),
      how: undefined as Visit["how"],
    };
    this.visits.push(visit);
    this.sockets.add(socket);
    let answered = 0;
    const over = (how: string) => {
      visit.how ??= how;
    };
    socket.on("data", (chunk: Buffer) => {
      visit.bytes = Buffer.concat([visit.bytes, chunk]);
      const { messages, end } = readRequests(
        visit.bytes.toString("latin1", answered),
        "as_forwarded",
      );
      answered += end;
      for (const request of messages) this.answering(request, socket, visit);
      this.onBytes(visit, socket);
    });
    socket.on("end", () => {
      over("end");
      socket.end();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
    socket.on("close", () => {
      over("closed");
      this.sockets.delete(socket);
    });
  }
}

/** What has arrived on a visit. */
export function arrivedOn({ bytes }: Visit): Reading<PlainRequest> {
  return readRequests(bytes.toString("latin1"), "as_forwarded");
}
