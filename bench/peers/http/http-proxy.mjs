// http-proxy-3 with nothing around it: `http-proxy.mjs PORT TARGET HOST [CA]`. Idle upstream connections are kept. It serves
// one Host and refuses every other, as the sidecar's rule does.
import { readFileSync } from "node:fs";
import { Agent, createServer } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { createProxyServer } from "http-proxy-3";

const [port, target, host, ca] = process.argv.slice(2);
const KEPT = { keepAlive: true, maxFreeSockets: 1_024 };
const agent = ca
  ? new TlsAgent({ ...KEPT, ca: readFileSync(ca), servername: host })
  : new Agent(KEPT);
// Without this header an app's `Connection: close` would close the upstream's connections too.
const headers = { connection: "keep-alive" };
const proxy = createProxyServer({ target, agent, secure: true, headers });
proxy.on("error", (error, _request, response) => {
  console.error(error.message);
  response.writeHead?.(502).end();
});
createServer((request, response) => {
  if (request.headers.host === host) proxy.web(request, response);
  else response.writeHead(403).end();
}).listen(Number(port), "127.0.0.1", 4_096);
