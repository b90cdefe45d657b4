/**
 * A web server as a process in the world: FOLDER PORT…. What it does is in the path (http-origin-routes.ts); says
 * "ready", then each request as a line (`Arrived`) before it is answered.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Arrived } from "./http-origin.ts";
import { routesOf } from "./http-origin-routes.ts";
import { acceptWebSocket } from "./http-websocket.ts";

const [folder = "", ...ports] = process.argv.slice(2);
const routes = routesOf(folder);
const numbers = new WeakMap<Socket, number>();
let connections = 0;

function tell({
  socket,
  httpVersion,
  method = "",
  url = "",
  headers,
  rawHeaders,
}: IncomingMessage) {
  const arrived: Arrived = {
    connection: numbers.get(socket) ?? 0,
    version: httpVersion,
    method,
    target: url,
    host: headers.host?.replace(/:\d+$/, "") ?? "",
    headers: rawHeaders,
  };
  console.log(JSON.stringify(arrived));
}

const isWebSocket = ({ headers }: IncomingMessage) => headers.upgrade === "websocket";

for (const port of ports) {
  const options = { keepAliveTimeout: 30_000, shouldUpgradeCallback: isWebSocket };
  const server = createServer(options, (request, response) => {
    tell(request);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [, first = ""] = pathname.split("/");
    const route = routes[first];
    if (route) void route(request, response, { pathname, options: searchParams });
    else response.end(`${request.method} ${pathname} of ${request.headers.host}\n`);
  });
  server.on("connection", (socket) => numbers.set(socket, ++connections));
  server.on("clientError", (_, socket) => socket.destroy());
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    tell(request);
    acceptWebSocket(request, socket, head);
  });
  server.on("checkContinue", (request, response) => {
    if (request.url?.startsWith("/unwanted")) {
      tell(request);
      response.writeHead(417, { connection: "close" }).end("not wanted\n");
      return;
    }
    response.writeContinue();
    server.emit("request", request, response);
  });
  await once(server.listen({ host: "::", port: Number(port), backlog: 4_096 }), "listening");
}
console.log("ready");
