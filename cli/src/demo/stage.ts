import { join } from "node:path";
import { createInterface } from "node:readline";
import { link, NetworkNamespace, routeVia } from "../lab/namespace.ts";
import { WORLD } from "./world.ts";
import type { Certificates } from "./world-main.ts";

/** The two namespaces of the demo, joined: one plays the pod, the other everything outside it. */
export interface Stage {
  readonly pod: NetworkNamespace;
  readonly world: NetworkNamespace;
  close(): Promise<void>;
}

/** `certificates` are what the world's TLS servers show. */
export async function setStage(certificates: Certificates): Promise<Stage> {
  const opened: NetworkNamespace[] = [];
  const close = async () => {
    await Promise.all(opened.map((namespace) => namespace.close()));
  };
  try {
    const pod = await NetworkNamespace.create();
    opened.push(pod);
    const world = await NetworkNamespace.create();
    opened.push(world);
    await link(
      { namespace: pod, name: "eth0", addresses: WORLD.pod },
      { namespace: world, name: "eth0", addresses: WORLD.gateway },
    );
    await routeVia(pod, ...WORLD.gateway.map(addressOf));
    const linked = new Set<string>(WORLD.gateway.map(addressOf));
    const addresses = new Set(WORLD.servers.map(({ address }) => address));
    for (const address of [...addresses].filter((each) => !linked.has(each)))
      await world.run("ip", "address", "add", address, "dev", "lo");
    await startServers(world, certificates);
    return { pod, world, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startServers(world: NetworkNamespace, certificates: Certificates): Promise<void> {
  const program = join(import.meta.dirname, "world-main.ts");
  const child = world.spawn([process.execPath, program, JSON.stringify(certificates)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    if (child.stdout) createInterface(child.stdout).once("line", () => resolve());
    child.once("exit", (status) => reject(new Error(`the world's servers ended with ${status}`)));
  });
}

function addressOf(withPrefix: string): string {
  return withPrefix.replace(/\/\d+$/, "");
}
