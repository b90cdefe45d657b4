import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { getCommand } from "@sallyport/cli/get/command";
import { explainCommand } from "@sallyport/cli/policy/explain-command";
import { simulateCommand } from "@sallyport/cli/policy/simulate-command";
import type { DecisionRecord } from "@sallyport/core/record";
import { Cluster, compile, type PolicySnapshot } from "@sallyport/core/snapshot";
import type { PolicyDump } from "@sallyport/proxy/admin/policy-dump";
import { type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import type { Any, Ran } from "./check-bed.ts";
import { KubeletFront } from "./kubelet-front.ts";
import { RUNNING, runningPod, sidecarPages } from "./sidecar-pages.ts";

const CRDS = resolve(import.meta.dirname, "../../manifests/crds.yaml");
const COMMANDS = { get: getCommand, explain: explainCommand, simulate: simulateCommand };

/** A pod with a sidecar that runs: its admin pages are the sidecar's own, over what a test says that it has and has seen. */
export interface FleetPod {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly policy: PolicyDump;
  readonly records?: readonly Partial<DecisionRecord>[];
}

/** An API server with the CRDs, pods on it whose sidecars answer, and the command line as a user has it. */
export class FleetBed implements AsyncDisposable {
  readonly server: OwnApiServer;
  readonly front: KubeletFront;
  readonly folder = mkdtempSync(join(tmpdir(), "sallyport-fleet-"));
  readonly #admins: { close(): void }[] = [];

  private constructor(server: OwnApiServer, front: KubeletFront) {
    this.server = server;
    this.front = front;
  }

  static async start(): Promise<FleetBed> {
    const server = await startApiServer();
    const bed = new FleetBed(server, await KubeletFront.start(server));
    await bed.kubectl(["apply", "--server-side", "-f", CRDS]);
    await bed.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS]);
    return bed;
  }

  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await createNamespace(clientOf(this.server.kubeconfig), name, labels);
  }

  async apply(...items: readonly Any[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await this.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], list);
  }

  async pod({ name, namespace = "shop", labels = {}, policy, records = [] }: FleetPod) {
    await this.apply(runningPod(name, namespace, { labels }));
    await this.kubectl([
      ...["patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge"],
      ...["-p", RUNNING],
    ]);
    const admin = await sidecarPages(namespace, policy, records);
    this.#admins.push(admin);
    this.front.lead(namespace, name, admin.port);
  }

  file(name: string, content: string | Any): string {
    const path = join(this.folder, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  /** The command, as a user with the kubeconfig. */
  async run(command: keyof typeof COMMANDS, ...args: readonly string[]): Promise<Ran> {
    const said = { stdout: "", stderr: "" };
    const sink = (stream: keyof typeof said) => ({
      write: (text: string, done: () => void) => {
        said[stream] += text;
        done();
      },
    });
    const kubeconfig = this.file("kubeconfig", {
      ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
      clusters: [
        { name: "it", cluster: { server: this.front.url, "insecure-skip-tls-verify": true } },
      ],
      users: [{ name: "it", user: {} }],
      contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    });
    const status = await COMMANDS[command](["--kubeconfig", kubeconfig, ...args], {
      ...{ stdin: Readable.from([]), stdout: sink("stdout"), stderr: sink("stderr") },
    });
    return { status, ...said };
  }

  kubectl(args: readonly string[], input = ""): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        "kubectl",
        ["--kubeconfig", this.server.kubeconfig, ...args],
        (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)),
      );
      child.stdin?.end(input);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const admin of this.#admins) admin.close();
    this.front[Symbol.dispose]();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const rule = (name: string, spec: Any, namespace = "shop"): Any => ({
  ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
  ...{ metadata: { name, namespace }, spec },
});

export const boundary = (name: string, spec: Any): Any => ({
  ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" },
  ...{ metadata: { name }, spec },
});

export const tls = (host: string) => ({
  hosts: [host],
  ports: [{ port: 443, protocol: "tls" as const }],
});

/** What a sidecar has of these: compiled as the controllers do, for a pod of that namespace with these labels. */
export function given(
  objects: readonly Any[],
  labels: Readonly<Record<string, string>> = {},
  more: Partial<PolicyDump> = {},
): PolicyDump & { readonly snapshot: PolicySnapshot } {
  const of = (kind: string) => objects.filter((each) => each.kind === kind);
  const namespaceLabels = { "kubernetes.io/metadata.name": "shop" };
  const snapshot = compile(
    of("EgressRule"),
    of("EgressBoundary"),
    { namespace: "shop", labels, namespaceLabels },
    {
      mode: "enforce",
      cluster: Cluster.parse({ ranges: ["10.0.0.0/8"] }),
      resolvers: ["10.96.0.10"],
    },
  );
  return {
    ...{ version: 1, applied: "2026-01-01T00:00:00.000Z", revision: "r1" },
    control: { connected: true },
    ...more,
    snapshot,
  };
}
