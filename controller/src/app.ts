import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import type { NamespaceInjection } from "./admission/admission.ts";
import type { Webhook } from "./decision.ts";
import type { Log } from "./log.ts";
import { answer, type WebhookOptions } from "./webhook.ts";

export interface AppOptions extends WebhookOptions {
  readonly maxBodyBytes: number;
  readonly log: Log;
  /** What stands in the way of serving; undefined when ready. */
  readonly notReady: () => string | undefined;
  /** Connections are to be given up after their answer. */
  readonly leaving: () => boolean;
  /** For /metrics. */
  readonly metrics: () => string;
}

/** docs/adr/002-namespace-label-in-the-path.md */
const NAMESPACE_PATHS: readonly (readonly [string, NamespaceInjection])[] = [
  ["", "enabled"],
  ["/enabled", "enabled"],
  ["/all", "all"],
];
const WEBHOOK_PATHS: readonly (readonly [string, Webhook])[] = [
  ["/mutate/pods", "pods"],
  ["/mutate/workloads", "workloads"],
  ["/validate/pods", "final-pods"],
];
/** Of every namespace. */
const RULES_PATH = "/validate/rules";
const TELL_PATHS = [
  ...WEBHOOK_PATHS.map(([path]) => path),
  ...[RULES_PATH, "/healthz", "/readyz", "/metrics"],
].join(", ");

/**
 * The routes. What is no AdmissionReview is answered with a 4xx in plain text, which the API server shows to its user
 * as the reason of the failed call (client-go's rest.Request); nothing is answered with a 5xx but /readyz.
 */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.enable("case sensitive routing").enable("strict routing");
  const leave: RequestHandler = (_request, response, next) => {
    if (options.leaving()) response.set("connection", "close");
    next();
  };
  app.use(leave);

  app.get("/healthz", (_request, response) => say(response, 200, "ok"));
  app.get("/readyz", (_request, response) => {
    const problem = options.notReady();
    say(response, problem === undefined ? 200 : 503, problem ?? "ok");
  });
  app.get("/metrics", (_request, response) => {
    response.type("text/plain; version=0.0.4; charset=utf-8").send(options.metrics());
  });
  app.all(["/healthz", "/readyz", "/metrics"], onlyBy("GET, HEAD"));

  const body = express.raw({ type: () => true, limit: options.maxBodyBytes, inflate: false });
  const route = (path: string, webhook: Webhook, injection: NamespaceInjection) => {
    app.post(path, onlyJson, body, leave, (request, response) => {
      const { status, ...said } = answer(
        request.body ?? new Uint8Array(),
        { webhook, injection },
        options,
      );
      if ("review" in said) response.status(status).json(said.review);
      else say(response, status, said.text);
    });
    app.all(path, onlyBy("POST"));
  };
  for (const [start, webhook] of WEBHOOK_PATHS)
    for (const [suffix, injection] of NAMESPACE_PATHS) route(start + suffix, webhook, injection);
  route(RULES_PATH, "rules", "enabled");

  app.use((_request, response) => {
    say(response, 404, `nothing here; there is ${TELL_PATHS}`);
  });
  app.use(onError(options));
  return app;
}

function onlyJson(request: Request, response: Response, next: () => void): void {
  const type = request.headers["content-type"] ?? "";
  if (/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) next();
  else say(response, 415, `expected content-type application/json, not "${type.slice(0, 80)}"`);
}

function onlyBy(methods: string) {
  return (request: Request, response: Response) => {
    response.set("allow", methods);
    say(response, 405, `${request.method} is not answered here, only ${methods}`);
  };
}

/** What the parts of express find wrong with a request: a body too large, an encoding, a client that went away. */
function onError({ log, maxBodyBytes }: AppOptions): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const given = Number(error?.status);
    const status = given >= 400 && given < 500 ? given : 400;
    if (status !== given)
      log("error", "a request failed", {
        path: request.path,
        error: error?.stack ?? String(error),
      });
    if (response.headersSent) return void response.destroy();
    say(response, status, SAID[status]?.(maxBodyBytes) ?? "this request cannot be read");
  };
}

const SAID: Readonly<Record<number, (maxBodyBytes: number) => string>> = {
  413: (bytes) => `the body is larger than ${bytes} bytes`,
  415: () => "the body must not be compressed",
};

function say(response: Response, status: number, text: string): void {
  response.status(status).type("text/plain").send(`${text}\n`);
}
