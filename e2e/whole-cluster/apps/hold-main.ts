/**
 * Opens a TCP connection for each GET /HOST/PORT on port 8081, keeps it, and tells at / what became of all of them. What it
 * asks for there, it has itself: /stream, which goes on for ever.
 */
import { createServer } from "node:http";
import { connect } from "node:net";

export interface Held {
  readonly to: string;
  open: boolean;
  bytes: number;
  /** How it ended. */
  problem?: string;
}

const all: Held[] = [];

function hold(host: string, port: number): void {
  const held: Held = { to: `${host}:${port}`, open: false, bytes: 0 };
  all.push(held);
  const socket = connect(port, host, () => {
    held.open = true;
    socket.write(`GET /stream HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
  socket.on("data", (chunk) => {
    held.bytes += chunk.length;
  });
  socket.once("error", (error: NodeJS.ErrnoException) => {
    held.problem = error.code ?? error.message;
  });
  socket.once("close", () => {
    held.open = false;
  });
}

createServer(({ url }, response) => {
  if (url === "/stream") {
    const ticking = setInterval(() => response.write("tick\n"), 200);
    return void response.once("close", () => clearInterval(ticking));
  }
  const [, host, port] = (url ?? "").split("/");
  if (host && port) hold(host, Number(port));
  response.end(JSON.stringify(all));
}).listen(8081);
