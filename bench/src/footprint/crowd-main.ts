/** `crowd-main.ts serve PORT` holds what connects; `crowd-main.ts dial ADDRESS PORT COUNT` connects and holds. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

const [role, ...rest] = process.argv.slice(2);
if (role === "serve") {
  const server = createServer((socket) => socket.resume().on("error", () => {}));
  server.listen({ port: Number(rest[0]), backlog: 4_096 }, () => console.log("ready"));
} else {
  const [host = "", port = "0", count = "0"] = rest;
  for (let made = 0; made < Number(count); made += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, Number(count) - made) }, async () => {
        const socket = connect({ host, port: Number(port) });
        await once(socket, "connect");
        socket.write("x");
      }),
    );
  console.log("ready");
  setInterval(() => {}, 60_000);
}
