import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  AdmissionregistrationV1Api,
  ApiException,
  CoreV1Api,
  type KubeConfig,
} from "@kubernetes/client-node";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import { lackingHelm } from "../../scripts/chart/helm.ts";
import { type ApiServer, lackingApiServer } from "../cluster/api-server.ts";
import { apiServer, lacking } from "../cluster/given.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import type { OtherWebhook } from "./other-webhook.ts";
import { webhooksOfChart } from "./webhooks-of-chart.ts";

const PROGRAM = resolve(import.meta.dirname, "../../controller/src/main.ts");

/** For the `skip` of a test that has a bed on the API server that all share. */
export const lackingBed: string | false = lacking || lackingHelm;
/** For the `skip` of a test that has a bed on an API server of its own. */
export const lackingOwnBed: string | false = lackingApiServer() || lackingHelm;

/**
 * The controller as a process on loopback, and a real API server that calls it by the chart's webhooks, for this bed's
 * namespaces alone.
 */
export interface WebhookBed extends AsyncDisposable {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  /** Of this bed alone; the configurations of its webhooks have names that begin so. */
  readonly name: string;
  /** By which it knows its namespaces: `key=value`. */
  readonly label: string;
  /** A namespace for which the webhooks of that label are called. */
  namespace(
    injection: "enabled" | "all" | "none",
    labels?: Readonly<Record<string, string>>,
  ): Promise<string>;
  kubectl(args: readonly string[], input?: unknown): Promise<Ran>;
  /** What the controller has logged, oldest first. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Asks the API server for a pod in that namespace until it has heard of a webhook that was registered. */
  until(namespace: string, holds: () => boolean): Promise<void>;
  /** Registers a mutating webhook of somebody else's for pods of that namespace, which is called after ours. */
  registerLater(
    namespace: string,
    other: OtherWebhook,
    reinvocationPolicy: "Never" | "IfNeeded",
  ): Promise<void>;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WebhookBedOptions {
  /** Absent: the one that the run's tests share. */
  readonly server?: ApiServer;
  readonly injection?: InjectionOptionsInput;
  /** Leaves one of the two out, as if it were not called. */
  readonly without?: "mutating" | "validating";
}

export async function startWebhookBed(options: WebhookBedOptions = {}): Promise<WebhookBed> {
  const server = options.server ?? (await apiServer());
  const config = clientOf(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const registration = config.makeApiClient(AdmissionregistrationV1Api);
  const name = `bed-${randomBytes(4).toString("hex")}`;
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bed-"));
  const controller = await startController(server.kubeconfig, folder, options.injection ?? {});
  const namespaces: string[] = [];
  const configurations: string[] = [];
  const { mutating, validating } = webhooksOfChart({
    ...controller,
    label: { key: BED, value: name },
    rules: options.server !== undefined,
  });
  const metadata = { name: `${name}-sallyport` };

  const bed: WebhookBed = {
    config,
    core,
    name,
    label: `${BED}=${name}`,
    namespace: async (injection, labels = {}) => {
      const namespace = `${name}-${namespaces.length}`;
      namespaces.push(namespace);
      await createNamespace(config, namespace, {
        ...(injection !== "none" && { "sallyport.dev/injection": injection }),
        [BED]: name,
        ...labels,
      });
      return namespace;
    },
    kubectl: (args, input) => kubectl(server.kubeconfig, args, input),
    lines: controller.lines,
    registerLater: async (namespace, { clientConfig, calls }, reinvocationPolicy) => {
      const later = `${name}-z-${configurations.length}`;
      configurations.push(later);
      await registration.createMutatingWebhookConfiguration({
        body: {
          metadata: { name: later },
          webhooks: [
            {
              ...{ clientConfig, reinvocationPolicy, name: "later.test.example" },
              ...{ sideEffects: "None", admissionReviewVersions: ["v1"] },
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
              rules: [
                {
                  ...{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
                  operations: ["CREATE"],
                },
              ],
            },
          ],
        },
      });
      await bed.until(namespace, () => calls() > 0);
    },
    until: async (namespace, holds) => {
      const deadline = performance.now() + 30_000;
      while (!holds()) {
        assert.ok(performance.now() < deadline, "the API server does not call the webhook");
        await core
          .createNamespacedPod({ namespace, body: PROBE, dryRun: "All" })
          .catch((error) => assert.ok(error instanceof ApiException, error));
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of configurations)
        await registration.deleteMutatingWebhookConfiguration({ name: each }).catch(() => {});
      await registration
        .deleteValidatingWebhookConfiguration({ name: metadata.name })
        .catch(() => {});
      for (const each of namespaces) await core.deleteNamespace({ name: each }).catch(() => {});
      controller.child.kill("SIGKILL");
      await once(controller.child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };

  await using unfinished = new AsyncDisposableStack();
  unfinished.use(bed);
  if (options.without !== "mutating") {
    configurations.push(metadata.name);
    await registration.createMutatingWebhookConfiguration({
      body: { metadata, webhooks: mutating },
    });
  }
  if (options.without !== "validating")
    await registration.createValidatingWebhookConfiguration({
      body: { metadata, webhooks: validating },
    });
  const probe = await bed.namespace("all");
  const called = (webhook: string) =>
    controller.lines.some((line) => line.namespace === probe && line.webhook === webhook);
  if (options.without !== "mutating") await bed.until(probe, () => called("pods"));
  if (options.without !== "validating") await bed.until(probe, () => called("final-pods"));
  unfinished.move();
  return bed;
}

const PROBE = {
  metadata: { generateName: "probe-" },
  spec: { containers: [{ name: "app", image: "app" }] },
};

/** Tells the beds of one API server apart. */
const BED = "test.sallyport.dev/bed";

interface Controller {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ca: string;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

async function startController(
  kubeconfig: string,
  folder: string,
  injection: InjectionOptionsInput,
): Promise<Controller> {
  const files = { config: join(folder, "config.json"), ca: join(folder, "ca.crt") };
  writeFileSync(files.config, JSON.stringify(injection));
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", process.execPath, PROGRAM, "--port", "0"],
      ...["--tls-name", "127.0.0.1", "--config", files.config, "--ca-out", files.ca],
      ...["--kubeconfig", kubeconfig],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    complaints += text;
  });
  const lines: Record<string, unknown>[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on("line", (text) => {
      const line = JSON.parse(text);
      lines.push(line);
      if (line.message === "listening") resolve(line.port);
    });
    child.once("exit", () => reject(new Error(`the controller did not start: ${complaints}`)));
  });
  return { child, port, ca: readFileSync(files.ca, "utf8"), lines };
}

/** Objects, or YAML as it is, are given on standard input; what it prints is what its user sees. */
function kubectl(kubeconfig: string, args: readonly string[], input?: unknown): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      "kubectl",
      ["--kubeconfig", kubeconfig, ...args],
      { maxBuffer: 1 << 26 },
      (error, stdout, stderr) =>
        resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.end(typeof input === "string" ? input : JSON.stringify(input ?? ""));
  });
}
