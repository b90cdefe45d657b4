import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { InventoryReader } from "@sallyport/cli/dashboard/inventory";
import { LiveFleet } from "@sallyport/cli/dashboard/live-fleet";
import { podPages } from "@sallyport/cli/dashboard/pod-pages";
import { serveDashboard } from "@sallyport/cli/dashboard/server";
import { Tunnels } from "@sallyport/cli/dashboard/tunnels";
import { NotForwarded } from "@sallyport/cli/kubernetes/port-forward";
import { ApiRefusal, type Rest } from "@sallyport/cli/kubernetes/rest";
import type { JsonObject } from "@sallyport/controller/admission/admission";

export type Admin = (request: IncomingMessage, response: ServerResponse) => void;

/** What an API server would list, by path; what is not here is not there. */
export type Lists = Record<string, readonly JsonObject[] | Error>;

export function restOf(lists: Lists): Rest {
  const never = () => Promise.reject(new Error("nothing but lists is asked for"));
  return {
    ...{
      server: "https://api.example:6443",
      nowMs: Date.now,
      get: never,
      post: never,
      patch: never,
    },
    async *list(path) {
      const found = lists[path] ?? new ApiRefusal(404, "not found");
      if (found instanceof Error) throw found;
      yield* found;
    },
  };
}

export const POLICY_API = "/apis/sallyport.dev/v1alpha1";

export function podOf(namespace: string, name: string, sidecar = true, uid = name): JsonObject {
  const started = { name: "sallyport-proxy", state: { running: {} } };
  return {
    metadata: { namespace, name, uid, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      ...(sidecar && { initContainers: [{ name: "sallyport-proxy", image: "proxy" }] }),
      containers: [{ name: "app", image: "app" }],
    },
    status: { phase: "Running", ...(sidecar && { initContainerStatuses: [started] }) },
  };
}

export function namespaceOf(name: string, injection = "all", labels: JsonObject = {}): JsonObject {
  return { metadata: { name, labels: { "sallyport.dev/injection": injection, ...labels } } };
}

export const overviewOf = (more: JsonObject = {}) => ({
  started: "2026-01-01T00:00:00Z",
  policy: { mode: "enforce", version: 1, revision: "r1" },
  connections: { open: 0, accepted: 0 },
  ...more,
});

/** A sidecar's admin port, as far as the dashboard asks. */
export function admin(
  destinations: readonly object[] = [],
  overview: object = overviewOf(),
): Admin {
  return ({ url }, response) => {
    response.setHeader("content-type", "application/json");
    if (url === "/overview") response.end(JSON.stringify(overview));
    else response.end(JSON.stringify({ destinations, others: {} }));
  };
}

interface CleanUps {
  after(step: () => unknown): void;
}

/** The dashboard on loopback over pods that are HTTP servers here, each by its `namespace/name`. */
export async function openBed(
  t: CleanUps,
  lists: Lists,
  pods: Readonly<Record<string, Admin>> = {},
) {
  const ports = new Map<string, number>();
  for (const [pod, answer] of Object.entries(pods)) {
    const server = createServer(answer);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    ports.set(pod, (server.address() as AddressInfo).port);
  }
  const tunnels = new Tunnels(async ({ namespace, name }) => {
    const port = ports.get(`${namespace}/${name}`);
    if (port === undefined) throw new NotForwarded("nothing listens on port 15000 of the pod");
    return connect(port, "127.0.0.1");
  });
  const fleet = new LiveFleet(new InventoryReader(restOf(lists), undefined), tunnels, {
    ...{ context: "test", server: "https://api.example:6443" },
  });
  const page = { body: "<!doctype html><title>the page</title>", headers: {} };
  const dashboard = await serveDashboard(0, { fleet, page, pages: podPages(tunnels) });
  t.after(async () => {
    fleet.close();
    await dashboard.close();
  });
  const ask = (path: string, more: Asking = {}) => exchange(dashboard.port, path, more);
  return {
    ...{ port: dashboard.port, fleet, ask },
    /** Once every sidecar has been asked. */
    settled: async () => {
      for (;;) {
        const { readAt, progress } = fleet.look();
        if (readAt !== undefined && progress.asked === progress.of) return fleet.look();
        await new Promise((done) => setTimeout(done, 20));
      }
    },
  };
}

export interface Asking {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function exchange(port: number, path: string, asking: Asking): Promise<Answered> {
  const { method = "GET", host = `localhost:${port}`, headers = {}, body } = asking;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method, headers: { ...headers, host }, agent: false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.once("error", reject);
        answer.once("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
