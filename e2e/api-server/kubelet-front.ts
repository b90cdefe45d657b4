import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { request } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { KubeConfig } from "@kubernetes/client-node";
import type { ApiServer } from "../cluster/api-server.ts";

/**
 * The API server, and in front of it what a node would do: a port-forward to a pod leads to a port on loopback, a
 * container's log is what a test says that it is, and a Service's port is answered. All else is passed on as it is, with
 * the administrator's certificate where no token is sent.
 */
export class KubeletFront implements Disposable {
  readonly url: string;
  /** What a Service's port answers when the API server is asked to reach it; undefined: nobody is there. */
  service: { status: number; body: string } | undefined = { status: 404, body: "not here\n" };
  /** By `namespace/pod/container`. */
  readonly logs = new Map<string, string>();
  readonly #ports: Map<string, number>;
  readonly #close: () => void;

  private constructor(url: string, ports: Map<string, number>, close: () => void) {
    this.url = url;
    this.#ports = ports;
    this.#close = close;
  }

  static async start({ url, kubeconfig }: ApiServer): Promise<KubeletFront> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const admin: RequestOptions = {};
    await config.applyToHTTPSOptions(admin);
    const ports = new Map<string, number>();
    const open = new Set<Duplex>();
    let front: KubeletFront | undefined;
    const server = createServer((incoming, outgoing) => {
      const log = front?.logs.get((LOG.exec(incoming.url ?? "") ?? []).slice(1).join("/"));
      if (log !== undefined) return void outgoing.end(log);
      if (!SERVICE.test(incoming.url ?? "") || !front?.service)
        return pass(url, admin, incoming, outgoing);
      const { status, body } = front.service;
      outgoing.writeHead(status).end(body);
    });
    server.on("upgrade", (incoming, socket) => {
      open.add(socket);
      socket.on("error", () => {}).once("close", () => open.delete(socket));
      forward(ports, incoming, socket);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    front = new KubeletFront(`http://127.0.0.1:${port}`, ports, () => {
      server.close();
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
    });
    return front;
  }

  /** Where the pod's port leads. */
  lead(namespace: string, pod: string, port: number): void {
    this.#ports.set(`${namespace}/${pod}`, port);
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

function pass(
  server: string,
  admin: RequestOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { method } = incoming;
  const { host: _, ...headers } = incoming.headers;
  const { cert, key, ...rest } = admin as RequestOptions & Record<"cert" | "key", string>;
  const asAdmin = headers.authorization === undefined ? { cert, key } : {};
  const onwards = request(
    new URL(incoming.url ?? "/", server),
    { ...rest, ...asAdmin, agent: false, method, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  onwards.once("error", () => outgoing.destroy());
  outgoing.once("close", () => onwards.destroy());
  incoming.pipe(onwards);
}

const LOG = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log\?container=([^&]+)$/;
const SERVICE = /^\/api\/v1\/namespaces\/[^/]+\/services\/[^/]+\/proxy\//;
const PORT_FORWARD = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward\?ports=(\d+)$/;
const PROTOCOL = "v4.channel.k8s.io";

/** RFC 6455; in it a byte for the channel (0: data, 1: error), and first of all on each channel the port (KEP-4006). */
function forward(ports: ReadonlyMap<string, number>, incoming: IncomingMessage, socket: Duplex) {
  const [, namespace, pod, port] = PORT_FORWARD.exec(incoming.url ?? "") ?? [];
  if (port === undefined) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
  const accept = createHash("sha1")
    .update(`${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      ...["Upgrade: websocket", "Connection: Upgrade"],
      ...[`Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${PROTOCOL}`, "", ""],
    ].join("\r\n"),
  );
  const send = (channel: number, data: Buffer) => {
    if (socket.writable) socket.write(frame(Buffer.concat([Buffer.of(channel), data])));
  };
  for (const channel of [0, 1]) send(channel, Buffer.of(Number(port) & 255, Number(port) >> 8));
  const near = ports.get(`${namespace}/${pod}`);
  if (near === undefined)
    return send(1, Buffer.from(`dial tcp4 127.0.0.1:${port}: connection refused`));
  const inside = connect(near, "127.0.0.1");
  inside.on("data", (data: Buffer) => send(0, data));
  inside.on("error", ({ message }) => send(1, Buffer.from(message)));
  inside.once("close", () => socket.end(Buffer.of(0x88, 0)));
  socket.once("close", () => inside.destroy());
  unframe(socket, inside);
}

function frame(payload: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(0x82);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** What the client sends on channel 0; its frames are masked, and as the client's library makes them never in parts. */
function unframe(socket: Duplex, inside: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      if (rest.length < 2) return;
      const opcode = rest.readUInt8(0) & 15;
      const short = rest.readUInt8(1) & 127;
      const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (rest.length < 2 + extra + 4) return;
      const length =
        extra === 0 ? short : extra === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      const start = 2 + extra + 4;
      if (rest.length < start + length) return;
      const mask = rest.subarray(start - 4, start);
      const payload = Buffer.from(rest.subarray(start, start + length)).map(
        (byte, i) => byte ^ (mask[i % 4] ?? 0),
      );
      rest = rest.subarray(start + length);
      if (opcode === 8) return void inside.end();
      if (opcode === 2 && payload[0] === 0) inside.write(payload.subarray(1));
    }
  });
}
