import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { applyPatch, type Operation } from "rfc6902";

export interface Webhook {
  readonly port: number;
  readonly ca: string;
  readonly process: ChildProcess;
}

/** The name in the serving certificate by which an API server would call it. */
const SERVICE = "sallyport.sallyport-system.svc";

/** Starts the real controller on a port of its choice; `options` is its configuration file's content. */
export async function startWebhook(
  program: string,
  folder: string,
  options: unknown,
): Promise<Webhook> {
  const config = join(folder, "controller.json");
  const caFile = join(folder, "ca.crt");
  writeFileSync(config, JSON.stringify(options));
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", process.execPath, program],
      ...["--port", "0", "--config", config, "--ca-out", caFile],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const complaints: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text) => complaints.push(text));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      const said = parse(line);
      if (said.message === "listening") resolve(Number(said.port));
    });
    child.once("exit", () =>
      reject(new Error(`the controller did not start: ${complaints.join("").trim()}`)),
    );
  });
  return { port, ca: readFileSync(caFile, "utf8"), process: child };
}

export interface Admitted {
  readonly pod: JsonObject;
  readonly operations: number;
  readonly warnings: readonly string[];
}

/** Sends the pod as an API server would on CREATE, and applies the patch with a library that did not make it. */
export async function admit(
  webhook: Webhook,
  pod: JsonObject,
  namespace: string,
): Promise<Admitted> {
  const uid = randomUUID();
  const review = await post(webhook, "/mutate/pods", {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid,
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      operation: "CREATE",
      namespace,
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller" },
      object: pod,
      oldObject: null,
      dryRun: false,
    },
  });
  const { response } = review as { response: Response };
  if (response.uid !== uid) throw new Error(`the answer is for ${response.uid}, not ${uid}`);
  if (!response.allowed) throw new Error(`the pod was refused: ${response.status?.message}`);
  const patch = JSON.parse(
    Buffer.from(response.patch ?? "W10=", "base64").toString(),
  ) as Operation[];
  const patched = structuredClone(pod);
  const failure = applyPatch(patched, patch).find((error) => error !== null);
  if (failure) throw new Error(`the patch does not apply: ${failure.message}`);
  return { pod: patched, operations: patch.length, warnings: response.warnings ?? [] };
}

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message?: string };
}

function post({ port, ca }: Webhook, path: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ host: "127.0.0.1", port, path, method: "POST", ca, servername: SERVICE },
        headers: { "content-type": "application/json", connection: "close" },
        signal: AbortSignal.timeout(10_000),
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk) => {
          text += chunk;
        });
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`the webhook answered ${answer.statusCode}: ${text}`));
        });
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

function parse(line: string): { readonly message?: unknown; readonly port?: unknown } {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
