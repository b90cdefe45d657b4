/** The servers of tls-servers.ts as one process: a list of `TlsServer` on standard input. Says "ready", then each visit as a line. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { buffer, json } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import type { TlsServer, Visit } from "./tls-servers.ts";

const numbers = new WeakMap<Socket, number>();
let connections = 0;

function serverOf(wanted: TlsServer): Server {
  switch (wanted.does ?? "https") {
    case "https":
      return https(wanted);
    case "plain":
      return createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () =>
          socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        );
      });
    case "ends":
      return createServer((socket) => void socket.once("data", () => socket.end()));
    case "resets":
      return createServer((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    case "silent":
      return createServer((socket) => void socket.on("error", () => {}).resume());
  }
}

function https({ address, certificate, key, clientAuthority, closes, ...rest }: TlsServer): Server {
  const { minVersion, maxVersion, alpn } = rest;
  const server = createHttps(
    {
      cert: certificate,
      key,
      ...(minVersion && { minVersion }),
      ...(maxVersion && { maxVersion }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(clientAuthority && { ca: clientAuthority, requestCert: true }),
      // TLS 1.0 and 1.1 need SHA-1, which OpenSSL only allows here (SSL_CTX_set_security_level(3)).
      ciphers: "DEFAULT:@SECLEVEL=0",
      keepAliveTimeout: 30_000,
    },
    async (request, response) => {
      const visit = await visitOf(request, address);
      console.log(JSON.stringify(visit));
      const body = `${JSON.stringify(visit)}\n`;
      if (closes === undefined) return void response.end(body);
      if (closes === true) return void response.setHeader("connection", "close").end(body);
      request.socket.write(`HTTP/1.1 200 OK\r\n\r\n${body}`, () => {
        // Node sends close_notify at an end, and none when it destroys.
        if (closes === "unsaid") request.socket.destroy();
        else request.socket.end();
      });
    },
  );
  server.on("secureConnection", (socket) => numbers.set(socket, ++connections));
  return server.on("tlsClientError", () => {});
}

async function visitOf(request: IncomingMessage, address: string): Promise<Visit> {
  const socket = request.socket as TLSSocket;
  const body = await buffer(request);
  return {
    at: address,
    servername: String(socket.servername),
    host: request.headers.host ?? "",
    target: request.url ?? "",
    protocol: socket.getProtocol() ?? "",
    alpn: socket.alpnProtocol ?? false,
    isResumed: socket.isSessionReused(),
    connection: numbers.get(socket) ?? 0,
    bytes: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
  };
}

for (const wanted of (await json(process.stdin)) as readonly TlsServer[]) {
  const server = serverOf(wanted).listen({ host: wanted.address, port: wanted.port ?? 443 });
  await once(server, "listening");
}
console.log("ready");
