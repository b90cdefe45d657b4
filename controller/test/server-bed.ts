import { randomUUID } from "node:crypto";
import { Agent, request } from "node:https";
import type { JsonObject, JsonValue } from "../src/admission/admission.ts";
import { randomIdentity } from "../src/admission/identity-random.ts";
import { InjectionOptions } from "../src/admission/options.ts";
import { type CertificateSource, madeCertificate } from "../src/certificate-source.ts";
import { serviceNames } from "../src/certificates.ts";
import { type Controller, type ControllerOptions, startController } from "../src/server.ts";

export const SERVICE = "sallyport.sallyport-system.svc";
export const NAMES = serviceNames("sallyport", "sallyport-system", "cluster.local");

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Bed extends AsyncDisposable {
  readonly controller: Controller;
  readonly source: CertificateSource;
  readonly agent: Agent;
  /** What was logged, oldest first. */
  readonly lines: readonly Record<string, unknown>[];
  send(
    path: string,
    body: string | Uint8Array,
    headers?: Record<string, string>,
    method?: string,
  ): Promise<Answered>;
}

/** A real controller on loopback and a client that trusts its CA, under the name an API server uses. */
export async function startBed(options: Partial<ControllerOptions> = {}): Promise<Bed> {
  const source = options.certificate ?? (await madeCertificate(NAMES, Date.now()));
  const lines: Record<string, unknown>[] = [];
  const controller = await startController({
    port: 0,
    host: "127.0.0.1",
    certificate: source,
    injection: InjectionOptions.parse({}),
    draw: randomIdentity(),
    log: (level, message, more) => lines.push({ level, message, ...more }),
    now: Date.now,
    ...options,
  });
  const agent = new Agent({
    keepAlive: true,
    servername: SERVICE,
    ...(source.ca !== undefined && { ca: source.ca }),
  });
  const send: Bed["send"] = (path, body, headers, method = "POST") =>
    new Promise((resolve, reject) => {
      const call = request(
        {
          ...{ host: "127.0.0.1", port: controller.port, path, method, agent },
          headers: {
            "content-type": "application/json",
            // Node would send the body of a DELETE or OPTIONS without any framing.
            ...(method !== "GET" && { "content-length": Buffer.byteLength(body) }),
            ...headers,
          },
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (chunk) => {
            text += chunk;
          });
          answer.on("error", reject);
          answer.on("end", () =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
          );
        },
      );
      call.on("error", reject);
      call.end(method === "GET" ? undefined : body);
    });
  return {
    controller,
    source,
    agent,
    lines,
    send,
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await controller.close(0);
    },
  };
}

export const POD: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "web-", annotations: { "sallyport.dev/inject": "true" } },
  spec: { containers: [{ name: "web", image: "registry.example/web:1" }] },
};

/** As kube-apiserver 1.33 sends it. */
export function reviewOf(object: JsonValue, request: JsonObject = {}): JsonObject {
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: randomUUID(),
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      namespace: "shop",
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller" },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...request,
    },
  };
}

export interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: string;
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
}

export function responseOf(answered: Answered): ReviewResponse {
  return JSON.parse(answered.text).response;
}
