/**
 * [HTTP-PORT SINK-PORT UDP-PORT]: what the tests' pods connect to: HTTP, a slow reader, UDP that comes back. A line tells
 * what arrived.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const [http = 8080, sink = 9090, udp = 9053] = process.argv
  .slice(-3)
  .map(Number)
  .filter(Number.isInteger);
const STATUS: Readonly<Record<string, number>> = { "/missing": 404 };

createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://target");
  setTimeout(
    () => response.writeHead(STATUS[pathname] ?? 200).end("the target\n"),
    Number(searchParams.get("afterMs") ?? 0),
  );
}).listen(http, () => console.log("ready"));

createTcpServer((socket) => {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), 40);
  });
  socket.once("end", () => console.log(`sink: ${bytes} bytes, ended at ${Date.now()}`));
  socket.once("error", ({ message }) => console.log(`sink: ${bytes} bytes, then ${message}`));
}).listen(sink);

const echo = createSocket("udp6");
echo.on("message", (message, { port, address }) => echo.send(message, port, address));
echo.bind(udp);

process.once("SIGTERM", () => process.exit());
