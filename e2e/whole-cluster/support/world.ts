import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { foreignContext } from "../../cluster/environment.ts";
import { Box } from "../../cluster/whole/box.ts";
import { addressWorld } from "../../cluster/whole/world.ts";

/** For documentation (RFC 5737, RFC 3849): they lead to nobody but the world beyond the test cluster's node. */
const ADDRESSES = { IPv4: "192.0.2.40", IPv6: "2001:db8::40" } as const;

export type Family = keyof typeof ADDRESSES;
export const FAMILIES = ["IPv4", "IPv6"] as const satisfies readonly Family[];

export interface World extends AsyncDisposable {
  readonly addresses: Readonly<Record<Family, string>>;
  readonly http: number;
  readonly udp: number;
}

/** For a test's `skip`: the world is the test cluster's own; another cluster leads into the real one. */
export const lackingWorld = (): string | false =>
  !foreignContext() && Box.find()
    ? false
    : "NOT TESTED HERE: only the test cluster has a world of its own";

/** What apps/target-main.ts serves, outside of the cluster. */
export async function serveInWorld(): Promise<World> {
  const box = Box.find();
  if (!box) throw new Error("there is no test cluster");
  await addressWorld(box, ...Object.values(ADDRESSES));
  const ports = { http: 18_080, sink: 18_090, udp: 18_053 };
  const program = join(import.meta.dirname, "../apps/target-main.ts");
  const [command, ...args] = box.enterWorld(
    ...["setpriv", "--pdeathsig", "KILL", "--", process.execPath, program],
    ...Object.values(ports).map(String),
    ...Object.values(ADDRESSES),
  );
  const server = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "exit");
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
  };
  await Promise.race([
    once(createInterface(server.stdout), "line"),
    ended.then(() => Promise.reject(new Error("the world's server has ended"))),
  ]);
  return { addresses: ADDRESSES, ...ports, [Symbol.asyncDispose]: stop };
}
