import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A TCP port for each name, that nobody listens on at the moment. */
export async function freePorts<Name extends string>(
  address: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, number>>> {
  // All at once: a port that has been let go may be given again.
  const servers = names.map(() => createServer().listen(0, address));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return Object.fromEntries(names.map((name, i) => [name, ports[i]])) as Record<Name, number>;
}
