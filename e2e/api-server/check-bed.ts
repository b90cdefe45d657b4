import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { loadAllYaml } from "@kubernetes/client-node";
import { checkCommand } from "@sallyport/cli/check/command";
import { statsCommand } from "@sallyport/cli/stats/command";
import {
  issueOneShot,
  type OneShotCertificate,
  serviceNames,
} from "@sallyport/controller/certificates";
import { connect, type KubernetesApi } from "@sallyport/controller/kubernetes/client";
import { GUARDS } from "@sallyport/controller/kubernetes/webhook-changes";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { freePorts } from "../cluster/free-ports.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import { ControllerProcess } from "./controller-process.ts";
import { KubeletFront } from "./kubelet-front.ts";

const MANIFESTS = join(import.meta.dirname, "../../manifests/install.yaml");
const CRDS = join(import.meta.dirname, "../../manifests/crds.yaml");
export const INSTALL = "sallyport-system";
const ADDRESS = "127.0.0.1";
const DAY_MS = 86_400_000;

// biome-ignore lint/suspicious/noExplicitAny: objects of any kind, as a person would write them
export type Any = any;

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An API server of its own with an installation as the chart makes it, but that its controller is a process on loopback. */
export interface CheckBed extends AsyncDisposable {
  readonly server: ApiServer;
  /** By which the commands ask. */
  readonly front: KubeletFront;
  readonly api: KubernetesApi;
  readonly controller: ControllerProcess;
  /** With the rights of a ServiceAccount of the installation. */
  as(serviceAccount: string): Promise<KubernetesApi>;
  /** Everything of the installation as it should be; whatever was changed or deleted is again as it was. */
  restore(): Promise<void>;
  /** Creates or changes objects. */
  apply(...objects: readonly Any[]): Promise<void>;
  namespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** The command, as a user with the kubeconfig; `as`: the ServiceAccount of that name, which may do nothing. */
  check(args?: readonly string[], as?: string): Promise<Ran>;
  stats(args: readonly string[], as?: string): Promise<Ran>;
  /** What a check finds, as `code subject`. */
  findings(args?: readonly string[], as?: string): Promise<string[]>;
  kubectl(args: readonly string[], input?: unknown): Promise<string>;
  /** The path of a kubeconfig for that server, with that token. */
  kubeconfigFor(server: string, token?: string): Promise<string>;
}

export async function startCheckBed(): Promise<CheckBed> {
  const server = await startApiServer();
  const folder = mkdtempSync(join(tmpdir(), "sallyport-check-"));
  const front = await KubeletFront.start(server);
  const config = clientOf(server.kubeconfig);
  const api = connect(server.kubeconfig);
  const { port } = await freePorts(ADDRESS, ["port"]);
  const credentials = await certificateFor(0, 365);
  const files = {
    cert: join(folder, "tls.crt"),
    key: join(folder, "tls.key"),
    config: join(folder, "config.json"),
  };
  writeFileSync(files.cert, credentials.certificate);
  writeFileSync(files.key, credentials.key);
  writeFileSync(files.config, configMapOf({}).data["config.json"]);
  const controller = new ControllerProcess([
    ...[
      "--config",
      files.config,
      "--port",
      String(port),
      "--tls-cert-file",
      files.cert,
      "--tls-key-file",
      files.key,
    ],
  ]);
  await controller.line("listening");

  const run = async (command: typeof checkCommand, args: readonly string[], as?: string) => {
    const said = { stdout: "", stderr: "" };
    const sink = (stream: keyof typeof said) => ({
      write: (text: string, done: () => void) => {
        said[stream] += text;
        done();
      },
    });
    const kubeconfig =
      as === undefined ? await bed.kubeconfigFor(front.url, "") : await kubeconfigOf(as);
    const status = await command(["--kubeconfig", kubeconfig, ...args], {
      stdin: Readable.from([]),
      stdout: sink("stdout"),
      stderr: sink("stderr"),
    });
    return { status, ...said };
  };

  const kubeconfigOf = async (name: string, url = front.url): Promise<string> => {
    const { status } = await api.core.createNamespacedServiceAccountToken({
      ...{ namespace: INSTALL, name },
      body: { spec: { audiences: [], expirationSeconds: 3_600 } },
    });
    return await bed.kubeconfigFor(url, status?.token);
  };

  const bed: CheckBed = {
    ...{ server, front, api, controller },
    as: async (name) => connect(await kubeconfigOf(name, server.url)),
    kubectl: (args, input) => kubectl(server.kubeconfig, args, input),
    apply: async (...objects) => {
      const items = { apiVersion: "v1", kind: "List", items: objects };
      await bed.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], items);
    },
    namespace: async (name, labels = {}) => {
      await createNamespace(config, name, labels);
    },
    restore: async () => {
      await bed.apply(...installation(port, credentials));
      const status = { replicas: 2, readyReplicas: 2, availableReplicas: 2 };
      await bed.kubectl([
        ...["patch", "deployment", "sallyport-controller", "-n", INSTALL, "--subresource=status"],
        ...["--type=merge", "-p", JSON.stringify({ status })],
      ]);
    },
    kubeconfigFor: async (url, token = "none") => {
      const path = join(folder, `${randomUUID()}.kubeconfig`);
      const trust = url.startsWith("http:")
        ? { "insecure-skip-tls-verify": true }
        : { "certificate-authority-data": base64(server.ca) };
      const cluster = { server: url, ...trust };
      writeFileSync(
        path,
        JSON.stringify({
          ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
          clusters: [{ name: "it", cluster }],
          users: [{ name: "it", user: token === "" ? {} : { token } }],
          contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
        }),
      );
      return path;
    },
    check: (args = [], as) => run(checkCommand, args, as),
    stats: (args, as) => run(statsCommand, args, as),
    findings: async (args = [], as) => {
      const { stdout, stderr } = await bed.check([...args, "-o", "json"], as);
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout).findings.map(
        ({ code, subject }: Record<string, string>) => `${code} ${subject}`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]();
      front[Symbol.dispose]();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await bed.kubectl(["apply", "--server-side", "-f", CRDS]);
  await bed.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS]);
  await bed.restore();
  return bed;
}

/** One that was issued so many days ago, for so many days. */
export async function certificateFor(
  agoDays: number,
  lifeDays: number,
  names = [ADDRESS, ...serviceNames("sallyport", INSTALL, "cluster.local")],
): Promise<OneShotCertificate> {
  const at = Date.now() - agoDays * DAY_MS;
  return await issueOneShot(names, at, lifeDays * DAY_MS);
}

export function secretOf({ authority, certificate, key }: OneShotCertificate): Any {
  return {
    ...{ apiVersion: "v1", kind: "Secret" },
    metadata: { name: "sallyport-certificate", namespace: INSTALL },
    data: { "ca.crt": base64(authority), "tls.crt": base64(certificate), "tls.key": base64(key) },
  };
}

/** manifests/install.yaml, but that the webhooks are on loopback and guard, as the leading controller sees to it. */
function installation(port: number, credentials: OneShotCertificate): Any[] {
  const objects = manifests().map((object) => {
    if (object.kind === "Secret") return secretOf(credentials);
    if (object.kind === "Lease") return leaseOf(new Date(), 3_600);
    if (!object.webhooks) return object;
    const webhooks = object.webhooks.map(({ clientConfig, ...webhook }: Any) => ({
      ...webhook,
      clientConfig: {
        url: `https://${ADDRESS}:${port}${clientConfig.service.path}`,
        caBundle: base64(credentials.authority),
      },
      ...(GUARDS.includes(webhook.name) && { failurePolicy: "Fail" }),
    }));
    return { ...object, webhooks };
  });
  return [
    ...objects,
    {
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
      metadata: {
        ...{ name: "sallyport-1", namespace: INSTALL },
        labels: { "kubernetes.io/service-name": "sallyport" },
      },
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
    },
    {
      ...{ apiVersion: "v1", kind: "ServiceAccount" },
      metadata: { name: "nobody", namespace: INSTALL },
    },
  ];
}

function manifests(): Any[] {
  return loadAllYaml(readFileSync(MANIFESTS, "utf8"));
}

/** One that somebody has held since then, for so many seconds. */
export function leaseOf(renewed: Date, leaseDurationSeconds: number): Any {
  return {
    ...{ apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
    metadata: { name: "sallyport-controller", namespace: INSTALL },
    spec: {
      ...{ holderIdentity: "sallyport-controller-1", leaseDurationSeconds },
      renewTime: renewed.toISOString().replace("Z", "000Z"), // microseconds (meta/v1, MicroTime)
    },
  };
}

/** What the installation's ConfigMap says, with changes. */
export function configMapOf(changes: object): Any {
  const configMap = manifests().find(({ kind }) => kind === "ConfigMap");
  const config = JSON.parse(configMap.data["config.json"]);
  return { ...configMap, data: { "config.json": JSON.stringify({ ...config, ...changes }) } };
}

/** A pod as an app's author writes it, and nothing that anybody would refuse. */
export function podOf(name: string, more: Any = {}): Any {
  return {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { name, ...more.metadata },
    spec: {
      containers: [{ name: "app", image: "shop/app:1", securityContext: { runAsNonRoot: true } }],
      ...more.spec,
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Standard output; fails with what it says otherwise. */
function kubectl(kubeconfig: string, args: readonly string[], input?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      "kubectl",
      ["--kubeconfig", kubeconfig, ...args],
      (error, stdout, stderr) =>
        error ? reject(new Error(`kubectl ${args.join(" ")}: ${stderr}`)) : resolve(stdout),
    );
    child.stdin?.end(input === undefined ? "" : JSON.stringify(input));
  });
}
