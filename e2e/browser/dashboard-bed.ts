import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { startDashboard } from "@sallyport/cli/dashboard/dashboard";
import type { Dashboard } from "@sallyport/cli/dashboard/server";
import { connect } from "@sallyport/cli/kubernetes/rest";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { PORTS } from "@sallyport/proxy/contract";
import { KubeletFront } from "../api-server/kubelet-front.ts";
import { until } from "../api-server/until.ts";
import { type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { freePorts } from "../cluster/free-ports.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import { EgressPod, OTHER, type Policy, REAL } from "../support/egress-pod.ts";
import { forwardIn } from "./admin-bed.ts";
import { Browser } from "./browser.ts";

interface CleanUps {
  after(step: () => unknown): void;
}

const CRDS = join(import.meta.dirname, "../../manifests/crds.yaml");

const CONTEXT = "shop-eu";

/** As a shop and its payments may have them. */
const POLICY: Policy = {
  rules: {
    api: [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }],
    mail: [{ cidrs: [`${OTHER}/32`], ports: [{ port: 25, protocol: "tcp" }] }],
  },
};

// biome-ignore lint/suspicious/noExplicitAny: objects of any kind, as a person would write them
type Any = any;

/**
 * The dashboard over a real API server and real sidecars, with a browser before it. No kubelet runs pods there: the test
 * says which there are, and where a port-forward to them leads.
 */
export class DashboardBed {
  readonly server: OwnApiServer;
  readonly front: KubeletFront;
  readonly browser: Browser;
  readonly dashboard: Dashboard;
  readonly config: KubeConfig;
  readonly #t: CleanUps;
  readonly #folder: string;

  private constructor(
    server: OwnApiServer,
    front: KubeletFront,
    browser: Browser,
    dashboard: Dashboard,
    t: CleanUps,
    folder: string,
  ) {
    this.server = server;
    this.front = front;
    this.browser = browser;
    this.dashboard = dashboard;
    this.config = clientOf(server.kubeconfig);
    this.#t = t;
    this.#folder = folder;
  }

  static async open(t: CleanUps): Promise<DashboardBed> {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const server = await startApiServer();
    t.after(() => server.stop());
    const front = await KubeletFront.start(server);
    t.after(() => front[Symbol.dispose]());
    await installKinds(clientOf(server.kubeconfig));

    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: "shop-eu", server: front.url, skipTLSVerify: true }],
      users: [{ name: "somebody" }],
      contexts: [{ name: CONTEXT, cluster: "shop-eu", user: "somebody" }],
      currentContext: CONTEXT,
    });
    const rest = await connect(config);
    const dashboard = await startDashboard({ config, rest }, { port: 0, namespace: undefined });
    t.after(() => dashboard.close());

    const desk = await NetworkNamespace.create();
    t.after(() => desk.close());
    const socket = join(folder, "dashboard.sock");
    await forwardHere(t, socket, String(dashboard.port));
    await forwardIn(desk, String(dashboard.port), socket);
    return new DashboardBed(server, front, await Browser.start(t, desk), dashboard, t, folder);
  }

  get url(): string {
    return `http://localhost:${this.dashboard.port}/`;
  }

  /** A pod of a Deployment, with a real sidecar that a port-forward leads to. */
  async runPod(namespace: string, deployment: string, name: string): Promise<EgressPod> {
    const egress = await EgressPod.open(this.#t, {
      policy: POLICY,
      zone: { "*.example.com": { A: [REAL] } },
    });
    const socket = join(this.#folder, `${namespace}-${name}.sock`);
    await forwardIn(egress.sidecar.pod, socket, String(PORTS.admin));
    const { port } = await freePorts("127.0.0.1", ["port"]);
    await forwardHere(this.#t, String(port), socket);
    this.front.lead(namespace, name, port);
    await this.createPod(namespace, deployment, name);
    return egress;
  }

  /** As the API server has one whose sidecar runs. */
  async createPod(namespace: string, deployment: string, name: string): Promise<void> {
    const owner = await this.#replicaSetOf(namespace, deployment);
    const api = this.config.makeApiClient(CoreV1Api);
    await api.createNamespacedPod({
      namespace,
      body: {
        metadata: { name, labels: { app: deployment }, ownerReferences: [owner] },
        spec: {
          nodeName: "node-1",
          initContainers: [{ name: "sallyport-proxy", image: "proxy", restartPolicy: "Always" }],
          containers: [{ name: "app", image: "app" }],
        },
      },
    });
    const running = { running: { startedAt: new Date() } };
    const body = {
      status: {
        phase: "Running",
        initContainerStatuses: [
          {
            name: "sallyport-proxy",
            image: "proxy",
            imageID: "",
            ready: true,
            restartCount: 0,
            state: running,
          },
        ],
      },
    };
    await api.patchNamespacedPodStatus(
      { namespace, name, body },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
  }

  async createNamespace(name: string, injection: string): Promise<void> {
    await createNamespace(this.config, name, { "sallyport.dev/injection": injection });
  }

  /** Creates it; its status, where it has one, as a controller would write it. */
  async create(object: Any): Promise<Any> {
    const api = KubernetesObjectApi.makeApiClient(this.config);
    const made = (await api.create(object)) as Any;
    if (object.status === undefined) return made;
    const { apiVersion, kind, metadata } = made;
    const path = `/apis/${apiVersion}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ""}/${kind.toLowerCase().replace(/y$/, "ie")}s/${metadata.name}/status`;
    const answer = await fetch(`${this.front.url}${path}`, {
      method: "PATCH",
      headers: { "content-type": "application/merge-patch+json" },
      body: JSON.stringify({ status: object.status }),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return made;
  }

  async #replicaSetOf(namespace: string, deployment: string): Promise<Any> {
    const api = KubernetesObjectApi.makeApiClient(this.config);
    const labels = { app: deployment };
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "app", image: "app" }] } },
    };
    const read = async (kind: string, name: string, owners: Any[]) => {
      const metadata = { namespace, name, ownerReferences: owners };
      const object = { apiVersion: "apps/v1", kind, metadata, spec };
      return (await api
        .create(object as Any)
        .catch(() => api.read({ ...object, metadata: { namespace, name } }))) as Any;
    };
    const refer = ({ metadata: { uid, name } }: Any, kind: string) => ({
      ...{ apiVersion: "apps/v1", kind, name, uid, controller: true },
    });
    const owner = refer(await read("Deployment", deployment, []), "Deployment");
    return refer(await read("ReplicaSet", `${deployment}-7d4b9`, [owner]), "ReplicaSet");
  }
}

async function installKinds(config: KubeConfig): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const kinds = loadAllYaml(readFileSync(CRDS, "utf8")) as Any[];
  for (const kind of kinds.filter(Boolean)) await api.create(kind);
  await until(
    "the kinds are served",
    () =>
      api
        .list("sallyport.dev/v1alpha1", "EgressBoundary")
        .then(() => true)
        .catch(() => false),
    (served) => served,
  );
}

/** From here: `FROM TO`, as in forward-main.ts. */
async function forwardHere(t: CleanUps, from: string, to: string): Promise<ChildProcess> {
  const main = join(import.meta.dirname, "forward-main.ts");
  const child = spawn(process.execPath, [main, from, to], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  if (child.stdout) await once(child.stdout, "data");
  return child;
}
