import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  nodesArguments,
} from "../control-plane.ts";
import { sources } from "../environment.ts";
import { clientOf } from "../namespaces.ts";
import { requirePrograms } from "../programs.ts";
import { answersOk } from "../readiness.ts";
import { Running } from "../running.ts";
import { Box } from "./box.ts";
import { FILES, kubeletArguments } from "./configs.ts";
import { installCoreDns } from "./coredns.ts";
import { kubeconfigOf, writeCredentials } from "./credentials.ts";
import { clusterImages } from "./images.ts";
import { loadImages } from "./load-images.ts";
import { BUILT } from "./needs.ts";
import { connect } from "./network.ts";
import { writeNodeFiles } from "./node-files.ts";
import { apiUrl, type Families, nodeAddresses, ofFamilies, PLAN } from "./plan.ts";
import { coreDnsIsAvailable, nodeIsReady } from "./wellness.ts";

export interface UpOptions {
  readonly families?: Families;
  /** The cluster ends when this process does, however that ends. */
  readonly tied?: boolean;
  /** Told each step, with the seconds since the beginning. */
  readonly say?: (line: string) => void;
}

const ETCD = { client: "http://127.0.0.1:2379", peer: "http://127.0.0.1:2380" } as const;
const READY_SECONDS = 120;

/**
 * The whole cluster: from nothing (what an earlier run left is removed) to a node that is ready and a name server that
 * answers. What fails halfway is taken down again; the error has the end of the log.
 */
export async function up(options: UpOptions = {}): Promise<Box> {
  try {
    return await raise(options);
  } catch (error) {
    if (Box.find()?.maker === undefined) await Box.remove();
    throw error;
  }
}

async function raise({ families = "dual", tied = false, say = () => {} }: UpOptions): Promise<Box> {
  const start = performance.now();
  const step = (what: string) =>
    say(`${((performance.now() - start) / 1_000).toFixed(1).padStart(5)} s  ${what}`);
  const from = sources();
  const paths = requirePrograms(BUILT, from);
  const images = await clusterImages(from);

  const box = await Box.make(families, tied);
  const logs = join(PLAN.state, "logs");
  await mkdir(logs);
  const run = (name: string, path: string, args: readonly string[]) =>
    new Running(name, box.enter(path, ...args), { log: join(logs, `${name}.log`), tied: false });
  const [admin] = await Promise.all([
    writeCredentials(families),
    writeNodeFiles(families, images.pause.name),
    connect(box),
  ]);
  step("the node has namespaces, links and keys");

  const [address = ""] = nodeAddresses(families);
  const health = `http://${address}:2381`;
  const etcd = run(
    "etcd",
    paths.etcd,
    etcdArguments({ folder: join(PLAN.state, "etcd"), ...ETCD, health }),
  );
  const containerd = run("containerd", "containerd", ["--config", FILES.containerd]);
  const imported = containerd
    .until(() => succeeds(box.run("ctr", "version")), READY_SECONDS)
    .then(() => loadImages(box, [images.pause.file, images.coredns.file]));
  imported.catch(() => undefined); // it is awaited further down
  await etcd.until(answersOk(`${health}/health`), READY_SECONDS);
  const server = run("kube-apiserver", paths["kube-apiserver"], [
    ...apiServerArguments({
      etcd: ETCD.client,
      address,
      port: PLAN.apiPort,
      pki: FILES.pki,
      serviceRanges: ofFamilies(families, PLAN.services),
    }),
    ...nodesArguments(FILES.pki),
  ]);
  const { ca, certificate: cert, key } = admin;
  await server.until(answersOk(`${apiUrl}/readyz`, { ca, cert, key }), READY_SECONDS);
  step("the API server is ready");

  run("kube-controller-manager", paths["kube-controller-manager"], [
    ...controllerManagerArguments({
      kubeconfig: kubeconfigOf("controller-manager"),
      pki: FILES.pki,
    }),
    "--allocate-node-cidrs=true",
    `--cluster-cidr=${ofFamilies(families, PLAN.pods).join(",")}`,
    `--service-cluster-ip-range=${ofFamilies(families, PLAN.services).join(",")}`,
    // Where a test takes the API server away, the node is as well as before: its name server is not to be taken away, too.
    "--node-monitor-grace-period=5m",
  ]);
  run("kube-scheduler", paths["kube-scheduler"], [
    `--kubeconfig=${kubeconfigOf("scheduler")}`,
    ...["--leader-elect=false", "--secure-port=0"],
  ]);
  run("kube-proxy", paths["kube-proxy"], [`--config=${FILES.proxy}`]);
  const config = clientOf(FILES.kubeconfig);
  await installCoreDns(config, images.coredns.name);
  await imported;
  step("containerd has the images");

  const kubelet = run(
    "kubelet",
    paths.kubelet,
    kubeletArguments(families, kubeconfigOf("kubelet")),
  );
  await kubelet.until(() => nodeIsReady(config), READY_SECONDS);
  step("the node is ready");
  await kubelet.until(() => coreDnsIsAvailable(config), READY_SECONDS);
  step("CoreDNS answers");
  box.markComplete();
  return box;
}

const succeeds = (promise: Promise<unknown>) =>
  promise.then(
    () => true,
    () => false,
  );
