import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { link, NetworkNamespace, routeVia } from "@sallyport/cli/lab/namespace";
import { LineProcess } from "./landing-lines.ts";

/**
 * A bed on which connections are judged by where they land: a namespace that plays the pod, with a stand-in for the
 * sidecar that only says what was dialled, and one that plays the world, with servers that say who they are.
 */
export const WORLD = {
  4: {
    pod: "10.244.0.5",
    gateway: "10.244.0.1",
    outside: "203.0.113.1",
    excluded: "198.51.100.1",
    included: "192.0.2.1",
    carvedOut: "192.0.2.129",
    resolver: "10.96.0.10",
    cluster: "10.96.0.20",
    loopback: "127.0.0.1",
  },
  6: {
    pod: "2001:db8:244::5",
    gateway: "2001:db8:244::1",
    outside: "2001:db8:1::1",
    excluded: "2001:db8:2::1",
    included: "2001:db8:3::1",
    carvedOut: "2001:db8:3:8000::1",
    resolver: "fd00:96::a",
    cluster: "fd00:96::14",
    loopback: "::1",
  },
} as const;
export type Place = keyof (typeof WORLD)[4];

const TCP_PORTS = [22, 53, 80, 8080];
const UDP_PORTS = [53, 443, 9999];
export const SIDECAR_PORT = 15_001;
export const POD_PORT = 9000;

export interface User {
  readonly uid: number;
  readonly gid: number;
}
export const SIDECAR: User = { uid: 20_001, gid: 20_002 };
export const APP: User = { uid: 1000, gid: 1000 };

export type Dial = "tcp" | "udp" | "echo" | "tail" | "leave" | "late" | "lo";

export class Landing {
  readonly pod: NetworkNamespace;
  readonly world: NetworkNamespace;
  readonly #tools: string;
  readonly #dialler: LineProcess;

  private constructor(pod: NetworkNamespace, world: NetworkNamespace, tools: string) {
    this.pod = pod;
    this.world = world;
    this.#tools = tools;
    this.#dialler = new LineProcess(pod, [join(tools, "dial")]);
  }

  static async create(): Promise<Landing> {
    const [pod, world] = [await NetworkNamespace.create(), await NetworkNamespace.create()];
    await link(
      { namespace: pod, name: "eth0", addresses: [`${WORLD[4].pod}/24`, `${WORLD[6].pod}/64`] },
      {
        namespace: world,
        name: "pod0",
        addresses: [`${WORLD[4].gateway}/24`, `${WORLD[6].gateway}/64`],
      },
    );
    await routeVia(pod, WORLD[4].gateway, WORLD[6].gateway);
    // So that an echo needs no privilege, and is the app's.
    for (const namespace of [pod, world])
      await namespace.run("sh", "-c", "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range");
    const landing = new Landing(pod, world, compile());
    await landing.#listen();
    return landing;
  }

  /** How it ended, in one line: `sidecar ADDRESS PORT`, `world ADDRESS PORT`, `refused`, … (landing/dial.c). */
  dial(kind: Dial, address: string, port: number, { uid, gid } = APP, number = 0): Promise<string> {
    return this.#dialler.ask(`${kind} ${address} ${port} ${uid} ${gid} ${number}`);
  }

  /** Listeners that answer in `name`; commands are in landing/serve.c. */
  serve(namespace: NetworkNamespace, name: string): LineProcess {
    return new LineProcess(namespace, [join(this.#tools, "serve"), name]);
  }

  /** A second dialler, for connections that come from elsewhere. */
  dialler(namespace: NetworkNamespace): LineProcess {
    return new LineProcess(namespace, [join(this.#tools, "dial")]);
  }

  async close(): Promise<void> {
    await Promise.all([this.pod.close(), this.world.close()]);
    rmSync(this.#tools, { recursive: true });
  }

  async #listen(): Promise<void> {
    const world = this.serve(this.world, "world");
    const sidecar = this.serve(this.pod, "sidecar");
    const inside = this.serve(this.pod, "pod");
    for (const family of [4, 6] as const) {
      const { pod: _, gateway: __, loopback, ...places } = WORLD[family];
      for (const address of Object.values(places)) {
        const nodad = family === 6 ? ["nodad"] : [];
        await this.world.run("ip", "address", "add", address, "dev", "lo", ...nodad);
        for (const port of UDP_PORTS) await world.expectOk(`udp ${address} ${port}`);
      }
      const any = family === 4 ? "0.0.0.0" : "::";
      for (const port of TCP_PORTS) await world.expectOk(`tcp ${any} ${port}`);
      await sidecar.expectOk(`tcp ${loopback} ${SIDECAR_PORT}`);
      await inside.expectOk(`tcp ${any} ${POD_PORT}`);
    }
  }
}

/** The two programs of the bed, in a folder that every user may read. */
export function compile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-landing-"));
  for (const program of ["serve", "dial"])
    execFileSync(process.env.CC ?? "cc", [
      ...["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"],
      ...["-o", join(folder, program), join(import.meta.dirname, "landing", `${program}.c`)],
    ]);
  return folder;
}
