import type { IncomingMessage, ServerResponse } from "node:http";
import { PORTS } from "@sallyport/proxy/contract";
import httpProxy from "http-proxy-3";
import type { PodPlace } from "../fleet/sidecar-page.ts";
import { inWords, type Tunnels } from "./tunnels.ts";

const PATIENCE_MS = 15_000;

/** Of what a browser sends, and of what a pod answers, nothing else is passed on: no cookie, no credentials, no redirect. */
const TO_POD: readonly string[] = ["accept", "accept-encoding"];
const FROM_POD: readonly string[] = [
  ...["content-type", "content-length", "content-encoding", "transfer-encoding"],
  ...["content-security-policy", "allow"],
];

/** Whatever a pod's own page says of itself holds, too: of two policies both count (CSP Level 3, §8.1). */
const POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The admin pages of sidecars, each as the sidecar itself gives it. */
export function podPages(tunnels: Tunnels) {
  const proxy = httpProxy.createProxyServer({
    target: { protocol: "http:", host: "localhost", port: PORTS.admin },
    changeOrigin: true,
    proxyTimeout: PATIENCE_MS,
  });
  proxy.on("proxyRes", (answer, _, response) => {
    for (const name of Object.keys(answer.headers))
      if (!FROM_POD.includes(name)) delete answer.headers[name];
    const own = answer.headers["content-security-policy"];
    answer.headers["content-security-policy"] = own === undefined ? POLICY : `${own}, ${POLICY}`;
    Object.assign(answer.headers, {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
    });
    // Otherwise the browser would wait for the rest of what has broken off.
    answer.once("close", () => {
      if (!answer.complete) response.destroy();
    });
  });
  return (pod: PodPlace, request: IncomingMessage, response: ServerResponse): void => {
    for (const name of Object.keys(request.headers))
      if (!TO_POD.includes(name)) delete request.headers[name];
    proxy.web(request, response, { agent: tunnels.agentFor(pod) }, (error) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(502, { "content-type": "text/plain; charset=utf-8" });
      response.end(`pod ${pod.name}: cannot ask its sidecar: ${inWords(error)}\n`);
    });
  };
}
