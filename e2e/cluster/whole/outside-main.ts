/**
 * FILE ADDRESS…: servers of the world beyond the node, on HTTP's port and HTTPS's of each address; FILE has key and
 * certificate. `/stream` goes on for ever, whatever else is asked says who answered.
 */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";

const [, , file = "", ...addresses] = process.argv;
const { key, certificate: cert } = JSON.parse(readFileSync(file, "utf8"));

const answer: RequestListener = ({ url, headers }, response) => {
  if (url !== "/stream") return void response.end(`hello from ${headers.host}\n`);
  const ticking = setInterval(() => response.write("tick\n"), 200);
  response.once("close", () => clearInterval(ticking));
};

const listening = addresses.flatMap((address) => [
  listen(createServer(answer), 80, address),
  listen(createTlsServer({ key, cert }, answer), 443, address),
]);
await Promise.all(listening);
console.log("ready");

function listen(server: ReturnType<typeof createServer>, port: number, address: string) {
  return new Promise<void>((resolve) => server.listen(port, address, resolve));
}
