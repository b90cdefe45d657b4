import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "./components.ts";
import { apiServerArguments, controllerManagerArguments, etcdArguments } from "./control-plane.ts";
import { sources } from "./environment.ts";
import { freePorts } from "./free-ports.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { ownFolder } from "./left-folders.ts";
import { ClusterAuthority, serviceAccountKeys } from "./pki.ts";
import { findPrograms, requirePrograms } from "./programs.ts";
import { answersOk } from "./readiness.ts";
import { Running } from "./running.ts";
import { writeSecretFiles } from "./secret-files.ts";

export interface ApiServer {
  /** The file's path. Its user is of the group system:masters. */
  readonly kubeconfig: string;
  readonly url: string;
  /** PEM: what the API server's certificate is verified with. */
  readonly ca: string;
}

export interface OwnApiServer extends ApiServer, AsyncDisposable {
  stop(): Promise<void>;
}

export interface ApiServerOptions {
  /** Runs kube-controller-manager too: service accounts, ReplicaSets and their pods (which nobody runs), garbage. */
  readonly controllers?: boolean;
  /** Another version of Kubernetes than the pinned one, if that has been built. */
  readonly version?: string;
  /** More flags for kube-apiserver. */
  readonly flags?: readonly string[];
}

const ADDRESS = "127.0.0.1";
const READY_SECONDS = 60;

const SERVER_NAMES = [ADDRESS, "localhost", "kubernetes.default.svc"];

const PROGRAMS = ["etcd", "kube-apiserver"] as const satisfies readonly Program[];
const CONTROLLERS = "kube-controller-manager" satisfies Program;
/** All that a run's tests may want. */
export const API_SERVER_PROGRAMS = [...PROGRAMS, CONTROLLERS] as const;

const sourcesFor = ({ version }: ApiServerOptions) =>
  version ? { ...sources(), assets: undefined, kubernetes: version } : sources();

/** For a test's `skip`: why no API server can be started here; false where one can. */
export function lackingApiServer(options: ApiServerOptions = {}): string | false {
  const found = findPrograms(
    options.controllers ? API_SERVER_PROGRAMS : PROGRAMS,
    sourcesFor(options),
  );
  return "missing" in found && `NOT TESTED HERE: ${found.missing}`;
}

/**
 * etcd and kube-apiserver on loopback, with nothing but what they were born with. They end with `stop`, and if this
 * process ends without having said so.
 */
export async function startApiServer(options: ApiServerOptions = {}): Promise<OwnApiServer> {
  const from = sourcesFor(options);
  const paths = requirePrograms(PROGRAMS, from);
  const controllers = options.controllers && requirePrograms([CONTROLLERS], from)[CONTROLLERS];
  const folder = ownFolder();
  const running: Running[] = [];
  const stopAtOnce = () => {
    for (const each of running) each.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", stopAtOnce);
  const stop = async () => {
    await Promise.all(running.map((each) => each.stop()));
    stopAtOnce();
    process.off("exit", stopAtOnce);
  };
  const run = (program: Program, path: string, args: readonly string[]) => {
    const component = new Running(program, [path, ...args], {
      log: join(folder, `${program}.log`),
      tied: true,
    });
    running.push(component);
    return component;
  };

  try {
    const ports = await freePorts(ADDRESS, ["client", "peer", "secure"]);
    const url = `https://${ADDRESS}:${ports.secure}`;
    const client = `http://${ADDRESS}:${ports.client}`;
    const etcd = run(
      "etcd",
      paths.etcd,
      etcdArguments({
        folder: join(folder, "etcd"),
        client,
        peer: `http://${ADDRESS}:${ports.peer}`,
      }),
    );

    const authority = await ClusterAuthority.create("sallyport-test");
    const [accounts, serving, admin, manager] = await Promise.all([
      serviceAccountKeys(),
      authority.issue({ commonName: "kube-apiserver" }, SERVER_NAMES),
      authority.issue({ commonName: "admin", organization: "system:masters" }),
      controllers && authority.issue({ commonName: "system:kube-controller-manager" }),
    ]);
    const ca = authority.certificate;
    const cluster = { name: "sallyport-test", url, ca };
    const kubeconfigFile = join(folder, "kubeconfig");
    await writeSecretFiles(folder, {
      "ca.crt": ca,
      "apiserver.crt": serving.certificate,
      "apiserver.key": serving.key,
      "sa.pub": accounts.publicKey,
      "sa.key": accounts.privateKey,
      kubeconfig: kubeconfig(cluster, admin),
      ...(manager && { "controller-manager.kubeconfig": kubeconfig(cluster, manager) }),
    });

    await etcd.until(answersOk(`${client}/health`), READY_SECONDS);
    const server = run("kube-apiserver", paths["kube-apiserver"], [
      ...apiServerArguments({
        etcd: client,
        address: ADDRESS,
        port: ports.secure,
        pki: folder,
        serviceRanges: ["10.96.0.0/16"],
      }),
      // Its own address is loopback's, which no Service may lead to.
      "--endpoint-reconciler-type=none",
      ...(options.flags ?? []),
    ]);
    const there = (path: string) =>
      answersOk(`${url}${path}`, { ca, cert: admin.certificate, key: admin.key });
    await server.until(there("/readyz"), READY_SECONDS);
    await server.until(there("/api/v1/namespaces/default"), READY_SECONDS);
    if (controllers)
      await run(
        CONTROLLERS,
        controllers,
        controllerManagerArguments({
          kubeconfig: join(folder, "controller-manager.kubeconfig"),
          pki: folder,
        }),
      ).until(there("/api/v1/namespaces/default/serviceaccounts/default"), READY_SECONDS);
    return { kubeconfig: kubeconfigFile, url, ca, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
