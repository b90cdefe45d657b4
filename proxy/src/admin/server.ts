import { createServer, type IncomingMessage, type Server } from "node:http";

export interface Answer {
  readonly status: number;
  readonly contentType:
    | "text/plain"
    | "application/json"
    | "text/html; charset=utf-8"
    | "text/plain; version=0.0.4";
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function text(body: string, status = 200): Answer {
  return { status, contentType: "text/plain", body };
}

export function json(value: unknown): Answer {
  return {
    status: 200,
    contentType: "application/json",
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}

/** `accept` is the request's own, empty where it has none. */
export type Route = (query: URLSearchParams, accept: string) => Answer | Promise<Answer>;
export type Routes = Readonly<Record<string, Route>>;

/**
 * A small GET-only HTTP server. `hosts`, where given, are the only names it answers to: a page in a browser must not
 * reach a loopback port through a DNS name of its own (DNS rebinding).
 */
export function serve(
  routes: Routes,
  listen: { readonly port: number; readonly host: string },
  hosts?: readonly string[],
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer({ connectionsCheckingInterval: 1_000 }, async (request, response) => {
    const answer = await answerTo(request, routes, hosts).catch(
      // A page that cannot be made must not end the connections.
      (error: Error) => text(`this page cannot be made: ${error.message}\n`, 500),
    );
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, {
      "content-type": answer.contentType,
      "content-length": body.length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...answer.headers,
      ...(answer.status === 405 && { allow: "GET, HEAD" }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  server.maxConnections = 256;
  return bind(server, listen);
}

async function answerTo(
  { method, url: target = "/", headers }: IncomingMessage,
  routes: Routes,
  hosts: readonly string[] | undefined,
): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return text("only GET is answered here\n", 405);
  const { host = "", accept = "" } = headers;
  if (hosts && !hosts.includes(host.replace(/:\d+$/, "")))
    return text(`only asked as ${hosts.join(", ")}, not as "${host}"\n`, 403);
  const url = URL.parse(target, "http://localhost");
  const route = url && Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
  if (!url || !route) return text(`nothing here; there is ${Object.keys(routes).join(" ")}\n`, 404);
  return route(url.searchParams, accept);
}

function bind(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ readonly port: number; close(): void }> {
  return new Promise((resolve, reject) => {
    // Also for later: an accept that fails (ENFILE, ENOMEM) is an error of the server, and nothing to end for.
    server.on("error", (error) => {
      reject(
        new Error(`cannot listen on ${host} port ${port}: ${error.message}`, { cause: error }),
      );
    });
    server.listen({ host, port }, () => {
      const bound = server.address();
      resolve({
        port: typeof bound === "object" && bound ? bound.port : port,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
