/**
 * A pool of connections opened ahead of need, as a process in the pod: NAME COUNT SILENT-MS IDLE-MS. All are connected,
 * say nothing for a while, then each completes a handshake and a request, is idle, and makes another request. What came
 * of them is a line each that went wrong, and "done".
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as handshake, type TLSSocket } from "node:tls";

const [name = "", count, silentMs, idleMs] = process.argv.slice(2);

async function converse(socket: Socket): Promise<void> {
  const secure = handshake({ socket, servername: name });
  await once(secure, "secureConnect");
  await ask(secure);
  await sleep(Number(idleMs));
  await ask(secure);
  secure.end();
}

async function ask(secure: TLSSocket): Promise<void> {
  secure.write(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  const [answer] = await once(secure, "data");
  if (!String(answer).startsWith("HTTP/1.1 200 ")) throw new Error(String(answer));
}

const pool = Array.from({ length: Number(count) }, () => connect({ host: name, port: 443 }));
await Promise.all(pool.map((socket) => once(socket, "connect")));
await sleep(Number(silentMs));
for (const { status, reason } of (await Promise.allSettled(pool.map(converse))).filter(
  (result) => result.status === "rejected",
))
  console.log(status, reason.message);
console.log("done");
