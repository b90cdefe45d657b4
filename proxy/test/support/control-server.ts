import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Authority, createAuthority } from "@sallyport/controller/certificates";
import {
  type Basis,
  DELIVERY_PATH,
  DELIVERY_PROTOCOL,
  SidecarLine,
} from "@sallyport/core/delivery";
import type { PolicySourceInput } from "@sallyport/core/policy-source";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";

type Line<T extends SidecarLine["type"]> = Extract<SidecarLine, { type: T }>;

/** A stream as the server has it: what the sidecar said, in the order in which it did, each line read by the contract. */
export class ServedStream {
  readonly token: string;
  readonly lines: SidecarLine[] = [];
  readonly #socket: Duplex;
  isOver = false;

  constructor(socket: Duplex, token: string) {
    this.#socket = socket;
    this.token = token;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isOver = true;
    });
    createInterface({ input: socket }).on("line", (line) =>
      this.lines.push(SidecarLine.parse(JSON.parse(line))),
    );
  }

  say(line: object): void {
    this.write(`${JSON.stringify(line)}\n`);
  }
  write(text: string): void {
    this.#socket.write(text);
  }
  end(): void {
    this.#socket.end();
  }
  cut(): void {
    this.#socket.destroy();
  }

  all<T extends SidecarLine["type"]>(type: T): Line<T>[] {
    return this.lines.filter((line): line is Line<T> => line.type === type);
  }
  /** The first of its type, or that fits. */
  line<T extends SidecarLine["type"]>(type: T, fits: (line: Line<T>) => boolean = () => true) {
    return until(() => this.all(type).find(fits), `a line "${type}"`);
  }
}

/** What a request for a stream is answered otherwise: a raw answer. */
export type Refuse = (attempt: number) => string | undefined;

/** The controllers' end of the stream, real TLS, by the book and not beyond it: what it says, the test says. */
export class ControlServer {
  readonly streams: ServedStream[] = [];
  readonly port: number;
  readonly ca: string;
  attempts = 0;
  refuse: Refuse = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.ca = ca;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("upgrade", (request, socket: Duplex) => {
      this.attempts += 1;
      const refusal = this.refuse(this.attempts);
      if (refusal !== undefined) return socket.end(refusal);
      if (request.url !== DELIVERY_PATH || request.headers.upgrade !== DELIVERY_PROTOCOL)
        return socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${DELIVERY_PROTOCOL}\r\n\r\n`,
      );
      const token = String(request.headers.authorization).replace("Bearer ", "");
      return this.streams.push(new ServedStream(socket, token));
    });
  }

  static async start({
    name = "localhost",
    port = 0,
    host = "::",
    authority,
  }: {
    name?: string;
    port?: number;
    host?: string;
    authority?: Authority;
  } = {}): Promise<ControlServer> {
    const issuer = authority ?? (await theAuthority());
    const { certificate: cert, key } = await issuer.issue([name], Date.now());
    const server = createServer({ cert, key });
    server.on("tlsClientError", () => {});
    server.listen({ port, host });
    await once(server, "listening");
    return new ControlServer(server, issuer.certificate);
  }

  /** The stream of this number, from 0, once it is open. */
  stream(number = 0): Promise<ServedStream> {
    return until(() => this.streams[number], `stream ${number}`);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let made: Promise<Authority> | undefined;
/** One for all servers of a test file: a key takes its time. */
export function theAuthority(): Promise<Authority> {
  made ??= createAuthority(Date.now(), "Policy of the test's");
  return made;
}

export function snapshotLine(
  revision: string,
  source: PolicySourceInput,
  basis: Basis = { rules: "10" },
) {
  return {
    ...{ type: "snapshot", revision, basis },
    snapshot: snapshotOf(PolicySource.parse(source)),
  };
}

/** Waits as long as a slow machine may take, and says what for in vain. */
export async function until<T>(
  value: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  ms = 20_000,
): Promise<T> {
  const last = performance.now() + ms;
  for (;;) {
    const found = await value();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > last) throw new Error(`in vain waited for ${what}`);
    await sleep(10);
  }
}
