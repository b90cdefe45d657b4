import { request as plainRequest } from "node:http";
import { Agent, type RequestOptions, request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import type { JsonObject, JsonValue } from "@sallyport/controller/admission/admission";

/** The API server cannot be asked at all: no connection, no trust, no credentials. */
export class Unreachable extends Error {}

/** The API server says no. */
export class ApiRefusal extends Error {
  /** The HTTP status. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** The API server, asked for objects as it stores them: the client's own classes leave out what they do not know. */
export interface Rest {
  readonly server: string;
  /** Its clock, as its last answer told it in whole seconds; until then, and where it tells none, this machine's. */
  nowMs(): number;
  get(path: string, query?: Query): Promise<JsonObject>;
  post(path: string, body: JsonObject, query?: Query): Promise<JsonObject>;
  /** A strategic merge patch. */
  patch(path: string, body: JsonObject): Promise<JsonObject>;
  /** A list, page after page. `metadata`: of each object its metadata alone. */
  list(path: string, query?: Query, what?: "metadata"): AsyncGenerator<JsonObject>;
}

/** Time enough for an admission webhook to run into its own timeout, and to be told of it. */
const PATIENCE_MS = 35_000;
const CONNECT_MS = 10_000;
const PAGE = 250;

const CONTENT_TYPES = {
  GET: "application/json",
  POST: "application/json",
  PATCH: "application/strategic-merge-patch+json",
} as const;

const METADATA_ONLY =
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

export async function connect(config: KubeConfig): Promise<Rest> {
  const server = config.getCurrentCluster()?.server ?? "";
  const options = await accessOf(config, server);
  let aheadMs = 0;

  const ask = async (
    method: "GET" | "POST" | "PATCH",
    path: string,
    query: Query = {},
    more: { readonly body?: JsonObject; readonly accept?: string } = {},
  ): Promise<JsonObject> => {
    const url = new URL(server.replace(/\/$/, "") + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const body = more.body && JSON.stringify(more.body);
    const { status, text, date } = await exchange(url, body, {
      ...options,
      method,
      headers: {
        ...options.headers,
        accept: more.accept ?? "application/json",
        ...(body !== undefined && { "content-type": CONTENT_TYPES[method] }),
      },
    });
    // RFC 9110 §6.6.1
    const toldMs = Date.parse(date ?? "");
    if (!Number.isNaN(toldMs)) aheadMs = toldMs - Date.now();
    if (status === 401)
      throw new Unreachable(
        `the API server at ${server} does not accept these credentials: log in again, or choose another context`,
      );
    const answer = parsed(text);
    if (status >= 200 && status < 300 && answer) return answer;
    throw new ApiRefusal(status, String(answer?.message ?? (text.trim() || `HTTP ${status}`)));
  };

  return {
    server,
    nowMs: () => Date.now() + aheadMs,
    get: (path, query) => ask("GET", path, query),
    post: (path, body, query) => ask("POST", path, query, { body }),
    patch: (path, body) => ask("PATCH", path, {}, { body }),
    async *list(path, query, what) {
      let next: string | undefined;
      do {
        const page = await ask(
          "GET",
          path,
          { ...query, limit: PAGE, continue: next },
          what === "metadata" ? { accept: METADATA_ONLY } : {},
        );
        yield* (page.items ?? []) as readonly JsonObject[];
        next = String((page.metadata as JsonObject | undefined)?.continue ?? "");
      } while (next !== "");
    },
  };
}

/** A plugin that logs in may run here, and fail. */
async function accessOf(config: KubeConfig, server: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new Unreachable(`cannot log in to ${server}: ${(error as Error).message}`);
  }
  // The client's agent connects anew for each request; where a proxy stands between, it alone knows how.
  if (options.agent instanceof Agent && !config.getCurrentCluster()?.proxyUrl)
    options.agent = new Agent({ ...options.agent.options, keepAlive: true });
  return options;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly date: string | undefined;
}

async function exchange(
  url: URL,
  body: string | undefined,
  options: RequestOptions,
): Promise<Answer> {
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const request = url.protocol === "http:" ? plainRequest : tlsRequest;
      const sent = request(url, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
      sent.setTimeout(PATIENCE_MS);
      const connecting = setTimeout(
        () => sent.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`)),
        CONNECT_MS,
      );
      sent.once("socket", (socket) => {
        // A kept one is connected, and would gather listeners.
        if (!socket.connecting) {
          clearTimeout(connecting);
          return;
        }
        socket.once(url.protocol === "http:" ? "connect" : "secureConnect", () =>
          clearTimeout(connecting),
        );
      });
      sent.once("response", (response) => {
        clearTimeout(connecting);
        text(response).then(
          (said) =>
            resolve({
              status: response.statusCode ?? 0,
              text: said,
              date: response.headers.date,
            }),
          reject,
        );
      });
      sent.once("error", (error) => {
        clearTimeout(connecting);
        reject(error);
      });
      sent.end(body);
    });
  } catch (error) {
    throw new Unreachable(`cannot reach the API server at ${url.origin}: ${whyOf(error as Error)}`);
  }
}

function whyOf(error: Error): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  if (error.name === "TimeoutError") return `no answer within ${PATIENCE_MS / 1_000} s`;
  return first instanceof Error ? first.message : error.message;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
