/**
 * A web server as a process inside the world: HTTP/1.1 and HTTP/2 over every version of TLS, and HTTP/1.1 in the clear.
 * Its argument is a `WebOptions`; says "ready" when all of it listens.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { buffer } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { payload, sha256 } from "./payload.ts";
import type { WebOptions } from "./web.ts";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const options: WebOptions = JSON.parse(process.argv[2] ?? "{}");
const download = payload();

async function answer(request: Request, response: Response): Promise<void> {
  const path = request.url ?? "/";
  if (path.startsWith("/git/")) return git(request, response);
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

/** git's own server, by CGI (RFC 3875): https://git-scm.com/docs/git-http-backend. */
async function git(request: Request, response: Response): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://localhost");
  const { headers } = request;
  const backend = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: options.gitRoot,
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "app", // without one it takes no push
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname.replace("/git", ""),
      QUERY_STRING: String(searchParams),
      CONTENT_TYPE: headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    },
  });
  request.pipe(backend.stdin);
  const said = await buffer(backend.stdout);
  const end = said.indexOf("\r\n\r\n");
  for (const line of said.toString("latin1", 0, end).split("\r\n")) {
    const [, name = "", value = ""] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name === "Status") response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(said.subarray(end + 4));
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
