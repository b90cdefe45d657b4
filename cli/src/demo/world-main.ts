/**
 * The servers of the demo's world, as one process inside its namespace; says "ready" when all of them listen. Its argument
 * has the certificates and keys of its TLS servers, PEM in JSON.
 */
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { DnsServer, type Zone } from "../lab/dns-server.ts";
import { echoWebSocket } from "./web-socket.ts";
import { DOWNLOAD, GREETING, SERVICES, type Server, WORLD } from "./world.ts";

export interface Shown {
  readonly cert: string;
  readonly key: string;
}
/** `own` is for the names of WORLD, `misnamed` for another. */
export type Certificates = Readonly<Record<"own" | "misnamed", Shown>>;

const { own, misnamed }: Certificates = JSON.parse(process.argv[2] ?? "{}");

const tellWhere: RequestListener = ({ socket, headers }, response) => {
  response.end(`you reached ${socket.localAddress} as ${headers.host}\n`);
};

const TCP: Readonly<Record<string, () => NetServer>> = {
  http: () => createHttpServer(tellWhere),
  https: () => createHttpsServer(own, tellWhere),
  "https, misnamed": () => createHttpsServer(misnamed, tellWhere),
  websocket: () => createHttpServer().on("upgrade", echoWebSocket),
  tls: () =>
    createTlsServer(own, (socket) => {
      socket.on("error", () => {});
      socket.end(`you reached ${socket.localAddress} as ${socket.servername}\n`);
    }),
  echo: () => tcp((socket) => socket.pipe(socket)),
  greeting: () =>
    tcp((socket) => {
      socket.write(GREETING);
      socket.once("data", () => socket.end("221 bye\r\n"));
    }),
  download: () => tcp((socket) => socket.end(Buffer.alloc(DOWNLOAD.bytes, DOWNLOAD.pattern))),
};

function tcp(serve: (socket: Socket) => void): NetServer {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
}

/** Of the names of WORLD, and of its one Service; there are no others. */
function zone(): Zone {
  const family = (addresses: readonly string[], mark: string) =>
    addresses.filter((address) => address.includes(mark));
  const { name, externalName } = WORLD.partner;
  return {
    [`${name}.${SERVICES}`]: { CNAME: externalName },
    ...Object.fromEntries(
      Object.entries(WORLD.names).map(([name, addresses]) => [
        name,
        { A: family(addresses, "."), AAAA: family(addresses, ":") },
      ]),
    ),
  };
}

function udp({ address, port }: Server, answer: (message: Buffer) => Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message, from) => {
      socket.send(answer(message), from.port, from.address);
    });
    socket.bind(port, address, resolve);
  });
}

function start(server: Server): Promise<void> {
  if (server.speaks === "dns")
    return DnsServer.listen(server.address, server.port, zone()).then(() => {});
  if (server.speaks === "datagram") return udp(server, (message) => message);
  return new Promise((resolve) => {
    TCP[server.speaks]?.().listen({ host: server.address, port: server.port }, resolve);
  });
}

Promise.all(WORLD.servers.map(start)).then(() => console.log("ready"));
