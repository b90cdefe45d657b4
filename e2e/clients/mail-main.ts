/**
 * A mail server as a process inside the world, as much of RFC 5321 and of STARTTLS (RFC 3207) as a message takes: it
 * speaks first. Its arguments are a certificate and a key, PEM files; says "ready" when it listens, then a line a message.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { TLSSocket } from "node:tls";

const [certificate = "", key = ""] = process.argv.slice(2);
const tls = { isServer: true, cert: readFileSync(certificate), key: readFileSync(key) };

function converse(socket: Socket, greeting: string): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let message: string[] | undefined;
  const lines = createInterface(socket);
  socket.on("error", () => {});
  lines.on("line", (line) => {
    if (message) {
      if (line !== ".") return void message.push(line);
      console.log(JSON.stringify(message.at(-1)));
      message = undefined;
      return say("250 taken");
    }
    switch (line.slice(0, 4).toUpperCase().trim()) {
      case "EHLO":
        return say("250-mail\r\n250 STARTTLS");
      case "STAR":
        lines.close();
        socket.removeAllListeners("data");
        say("220 go ahead");
        return converse(new TLSSocket(socket, tls), "");
      case "DATA":
        message = [];
        return say("354 end with a dot");
      case "QUIT":
        say("221 bye");
        return void socket.end();
      default:
        return say("250 ok");
    }
  });
  if (greeting) say(greeting);
}

createServer((socket) => converse(socket, "220 mail.example.com ESMTP")).listen(
  { host: "::", port: 25 },
  () => console.log("ready"),
);
