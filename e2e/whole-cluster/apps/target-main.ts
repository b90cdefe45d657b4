/**
 * [HTTP-PORT SINK-PORT UDP-PORT UDP-ADDRESS…]: what the tests' pods connect to: HTTP, a slow reader, UDP that comes back.
 * A line tells what arrived.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { createServer as createTcpServer, isIPv4 } from "node:net";

// Behind the file's name, where there is one.
const args = process.argv.slice(process.argv[1]?.endsWith(".ts") ? 2 : 1);
const [http = 8080, sink = 9090, udp = 9053] = args.slice(0, 3).map(Number);
const udpAddresses = args.length > 3 ? args.slice(3) : ["::"];
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

// A socket of each address: what comes back comes from where it went to.
for (const at of udpAddresses) {
  const echo = createSocket(isIPv4(at) ? "udp4" : "udp6");
  echo.on("message", (message, { port, address }) => echo.send(message, port, address));
  echo.bind(udp, at);
}

process.once("SIGTERM", () => process.exit());
