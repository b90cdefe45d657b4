import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Host, startContainer } from "@sallyport/cli/lab/container";
import { link, NetworkNamespace, routeVia } from "@sallyport/cli/lab/namespace";
import type { Pod } from "@sallyport/cli/lab/pod";
import { httpGet, runInitContainers } from "@sallyport/cli/lab/run-pod";
import type { DecisionRecord } from "@sallyport/core/record";
import { INIT_CONFIG_ENV, type InitConfigInput } from "@sallyport/init/contract";
import { PORTS, PROXY_CONFIG_ENV, type ProxyConfigInput } from "@sallyport/proxy/contract";
import { Peer } from "./peer.ts";

const DIST = resolve(import.meta.dirname, "../../dist");
/** The sidecar's uid and gid. */
export const USER = 31_337;

/** Addresses of the world outside: for documentation (RFC 5737, RFC 3849), and only inside the test's namespace. */
export const OUTSIDE = {
  ipv4: "192.0.2.10",
  ipv6: "2001:db8::10",
  dark: "192.0.2.66",
  gone: "192.0.2.77",
};

interface CleanUps {
  after(step: () => Promise<void>): void;
}

export interface SidecarPodOptions {
  readonly config?: ProxyConfigInput;
  readonly args?: readonly string[];
  /** The user that iptables spares, when it is not to be the sidecar's own. */
  readonly spare?: number;
  /** Whether somebody reads the access log. */
  readonly readLog?: boolean;
  /** What init is told, beside whom to spare. */
  readonly init?: Partial<InitConfigInput>;
  /** Run before the pod starts: what its sidecar may ask for at once. */
  readonly furnish?: (world: NetworkNamespace) => Promise<void>;
  /** The /etc/resolv.conf and /etc/hosts of every container. */
  readonly resolvConf?: string;
  readonly hosts?: string;
}

/** A pod with the real init rules and the real, bundled sidecar, an app inside it and servers outside. */
export class SidecarPod {
  readonly app: Peer;
  readonly outside: Peer;
  readonly pod: NetworkNamespace;
  readonly world: NetworkNamespace;
  readonly records: DecisionRecord[] = [];
  readonly sidecar: ChildProcess;
  /** What it has written to its own log. */
  log = "";

  private constructor(pod: NetworkNamespace, world: NetworkNamespace, sidecar: ChildProcess) {
    this.pod = pod;
    this.world = world;
    this.app = new Peer(pod);
    this.outside = new Peer(world);
    this.sidecar = sidecar;
  }

  /** What it opens is closed by what `t.after` is given: a test's context, or a program's own. */
  static async open(t: CleanUps, options: SidecarPodOptions = {}): Promise<SidecarPod> {
    const pod = await NetworkNamespace.create();
    t.after(() => pod.close());
    const world = await NetworkNamespace.create();
    t.after(() => world.close());
    await link(
      { namespace: pod, name: "eth0", addresses: ["10.20.0.2/24", "fd20::2/64"] },
      { namespace: world, name: "eth0", addresses: ["10.20.0.1/24", "fd20::1/64"] },
    );
    await routeVia(pod, "10.20.0.1", "fd20::1");
    for (const address of Object.values(OUTSIDE))
      await world.run("ip", "address", "add", address, "dev", "lo");
    await options.furnish?.(world);
    const host: Host = {
      namespace: pod,
      images: { init: join(DIST, "init"), proxy: join(DIST, "proxy") },
      resolvConf: options.resolvConf ?? "",
      ...(options.hosts !== undefined && { hosts: options.hosts }),
    };
    const spec = podOf(options);
    await runInitContainers(spec, host, { ended: () => {}, started: () => {} });
    const [container] = spec.spec.containers;
    if (!container) throw new Error("no sidecar");
    const sidecar = startContainer(spec, container, host, ["ignore", "pipe", "pipe"]);
    const opened = new SidecarPod(pod, world, sidecar);
    sidecar.stderr?.on("data", (text) => {
      opened.log += text;
    });
    if (options.readLog !== false && sidecar.stdout)
      createInterface(sidecar.stdout).on("line", (line) => opened.records.push(JSON.parse(line)));
    for (let i = 0; i < 200; i++) {
      if (sidecar.exitCode !== null) throw new Error(`the sidecar ended: ${opened.log}`);
      if (await httpGet(pod, PORTS.ready, "/ready").catch(() => undefined)) return opened;
      await sleep(20);
    }
    throw new Error(`the sidecar is not ready: ${opened.log}`);
  }

  admin(path: string): Promise<string> {
    return httpGet(this.pod, PORTS.admin, path);
  }

  /** The records of the connections to this port, once there are as many. */
  async recordsOf(port: number, count = 1): Promise<readonly DecisionRecord[]> {
    for (let i = 0; i < 500; i++) {
      const found = this.records.filter(({ original_port }) => original_port === port);
      if (found.length >= count) return found;
      await sleep(20);
    }
    throw new Error(`${count} records of port ${port} wanted: ${JSON.stringify(this.records)}`);
  }

  /** Of the sidecar's process: open sockets, and resident memory. */
  usage(): { readonly files: number; readonly rssMb: number } {
    const status = readFileSync(`/proc/${this.sidecar.pid}/status`, "utf8");
    return {
      files: readdirSync(`/proc/${this.sidecar.pid}/fd`).length,
      rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
    };
  }
}

function podOf({ config = {}, args = [], spare = USER, init }: SidecarPodOptions): Pod {
  const command = (program: string) => ["/opt/sallyport/node", `/opt/sallyport/${program}.cjs`];
  return {
    metadata: { name: "web-0", namespace: "shop" },
    spec: {
      initContainers: [
        {
          name: "init",
          image: "init",
          command: command("init"),
          env: [
            {
              name: INIT_CONFIG_ENV,
              value: JSON.stringify({ ...init, proxyUid: spare, proxyGid: spare }),
            },
          ],
          securityContext: { capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] } },
        },
      ],
      containers: [
        {
          name: "proxy",
          image: "proxy",
          command: command("proxy"),
          args,
          env: [
            { name: PROXY_CONFIG_ENV, value: JSON.stringify(config) },
            { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          ],
          securityContext: {
            runAsUser: USER,
            runAsGroup: USER,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    },
  };
}
