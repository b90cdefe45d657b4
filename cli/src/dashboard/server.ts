import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BadInput } from "../policy/io.ts";
import type { LiveFleet } from "./live-fleet.ts";
import type { PageFile } from "./page-file.ts";
import { hostAsked, OWN_HOSTS } from "./pod-hosts.ts";
import type { podPages } from "./pod-pages.ts";

const ADDRESS = "127.0.0.1";

export interface Dashboard {
  readonly port: number;
  close(): Promise<void>;
}

interface Sources {
  readonly fleet: LiveFleet;
  readonly page: PageFile;
  readonly pages: ReturnType<typeof podPages>;
}

/**
 * The dashboard on this machine's loopback. It answers to the names of loopback only, which no page of elsewhere can have
 * (DNS rebinding); each pod's pages have a name of their own. Only GET and HEAD are answered, and nothing is ever changed.
 */
export async function serveDashboard(port: number, sources: Sources): Promise<Dashboard> {
  const server = createServer({ maxHeaderSize: 16 << 10 }, (request, response) => {
    try {
      respond(request, response, (server.address() as AddressInfo).port, sources);
    } catch (error) {
      send(response, text(500, `this cannot be made: ${(error as Error).message}`));
    }
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 256;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const used =
        error.code === "EADDRINUSE" ? ": something listens there; --port takes another" : "";
      reject(
        new BadInput([
          `--port ${port}: cannot listen on ${ADDRESS}${used || `: ${error.message}`}`,
        ]),
      );
    });
    server.listen({ host: ADDRESS, port }, resolve);
  });
  // An accept that fails is nothing to end for.
  server.removeAllListeners("error").on("error", () => {});
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  sources: Sources,
): void {
  const { headers } = request;
  const host = hostAsked(headers.host, port);
  const refusal = refusalOf(request, host, port);
  if (refusal || host === undefined || OWN_HOSTS.includes(host)) {
    send(response, refusal ?? ownPage(request.url ?? "/", sources));
    return;
  }
  const pod = sources.fleet.podAt(host);
  if (pod) sources.pages(pod, request, response);
  else send(response, text(404, `no pod with a sidecar that runs is called ${host.slice(0, 253)}`));
}

/** Why it is not looked at. */
function refusalOf(
  { method, headers }: IncomingMessage,
  host: string | undefined,
  port: number,
): Answer | undefined {
  if (method !== "GET" && method !== "HEAD")
    return text(405, "only GET is answered here", { allow: "GET, HEAD" });
  // With a body, what follows could be taken for another request.
  if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0)
    return text(400, "a GET has no body here", { connection: "close" });
  return host !== undefined && (OWN_HOSTS.includes(host) || host.endsWith(".localhost"))
    ? undefined
    : text(403, `only asked as localhost:${port}, not as "${headers.host}"`);
}

function ownPage(target: string, { fleet, page }: Sources): Answer {
  const url = URL.parse(target, "http://localhost");
  switch (url?.pathname) {
    case "/":
      return { status: 200, contentType: "text/html; charset=utf-8", ...page };
    case "/fleet":
      return json(fleet.look());
    case "/workload": {
      const details = fleet.details(url.searchParams.get("id") ?? "");
      return details ? json(details) : text(404, "there is no such workload, or no more");
    }
    default:
      return text(404, "nothing here; there is / /fleet /workload");
  }
}

function json(value: unknown): Answer {
  return { status: 200, contentType: "application/json", body: JSON.stringify(value) };
}

function text(
  status: number,
  said: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${said}\n`, headers };
}

function send(response: ServerResponse, { status, contentType, body, headers }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": bytes.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}
