/**
 * A web server as a process inside the world: HTTP/1.1 and HTTP/2 over every version of TLS, and HTTP/1.1 in the clear.
 * Its argument is a `WebOptions`; says "ready" when all of it listens.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { buffer } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { gitBackend } from "./git-backend.ts";
import { payload, sha256 } from "./payload.ts";
import type { WebOptions } from "./web.ts";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const options: WebOptions = JSON.parse(process.argv[2] ?? "{}");
const download = payload();

async function answer(request: Request, response: Response): Promise<void> {
  const path = request.url ?? "/";
  if (path.startsWith("/git/")) return gitBackend(options.gitRoot, request, response);
  if (path === "/download") {
    response.setHeader("content-length", download.length);
    response.end(download);
  } else if (request.method === "PUT") {
    const bytes = await buffer(request);
    response.end(`${bytes.length} bytes ${sha256(bytes)}\n`);
  } else {
    response.end(`${spokenIn(request)}\n`);
  }
}

/** `HTTP/1.1 over TLSv1.2 as www.example.com`. */
function spokenIn({ httpVersion, socket, headers }: Request): string {
  const { getProtocol, servername } = socket as Partial<TLSSocket>;
  return getProtocol
    ? `HTTP/${httpVersion} over ${getProtocol.call(socket)} as ${servername}`
    : `HTTP/${httpVersion} as ${headers.host}`;
}

const secure = createSecureServer(
  {
    cert: readFileSync(options.certificate),
    key: readFileSync(options.key),
    allowHTTP1: true,
    minVersion: "TLSv1",
    // TLS 1.0 and 1.1 need SHA-1, which OpenSSL only allows here (SSL_CTX_set_security_level(3)).
    ciphers: "DEFAULT:@SECLEVEL=0",
  },
  answer,
);
const plain = createServer(answer);

async function listen(server: typeof secure | typeof plain, port: number): Promise<void> {
  server.on("clientError", (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen({ host: "::", port }, () => resolve()));
}

await Promise.all([listen(secure, 443), listen(plain, 80)]);
console.log("ready");
