/** The servers of witness.ts as one process: `LISTENING` as JSON. Says "ready", then each visit as a line. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTls, type TLSSocket } from "node:tls";
import type { Listening, Visit } from "./witness.ts";

const listening: Listening = JSON.parse(process.argv[2] ?? "{}");

/** Key and certificate in one text; nobody here trusts it. */
const identity = execFileSync(
  "openssl",
  [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=witness", "-keyout", "-", "-out", "-"],
  ],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);

const say = (what: Visit | "ready") => console.log(JSON.stringify(what));

/** As canonical addresses are written. */
function addressOf({ localAddress = "" }: Socket): string {
  return localAddress.replace(/^::ffff:(?=\d+\.)/, "");
}

function greet(socket: Socket, name: string): void {
  socket.on("error", () => {});
  socket.write(`${addressOf(socket)} ${name}\n`);
  socket.pipe(socket);
}

async function listen(server: Server, port: number): Promise<void> {
  server.on("connection", (socket: Socket) => say({ at: addressOf(socket), port }));
  server.listen({ host: "::", port, backlog: 4_096 });
  await once(server, "listening");
}

for (const port of listening.tls ?? []) {
  const server = createTls({ key: identity, cert: identity }, (socket: TLSSocket) =>
    greet(socket, socket.servername || "-"),
  );
  await listen(
    server.on("tlsClientError", () => {}),
    port,
  );
}
for (const port of listening.http ?? [])
  await listen(
    createHttp(({ socket, headers }, response) =>
      response.end(`${addressOf(socket)} ${headers.host ?? "-"}\n`),
    ),
    port,
  );
for (const port of listening.plain ?? [])
  await listen(
    createServer((socket) => greet(socket, "-")),
    port,
  );
for (const [address, port] of listening.udp ?? []) {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4").bind(port, address);
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  await once(socket, "listening");
}
say("ready");
