import { createServer, type Server, type Socket } from "node:net";
import { formatAddress, parseAddress } from "@sallyport/core/address";
import { type Endpoint, originalDestination } from "./original-destination.ts";

/** A connection with its original destination: all that the rest of the sidecar knows of how it came in. */
export interface Inbound {
  /** The app's end. */
  readonly source: Endpoint;
  /** What the app dialled. */
  readonly destination: Endpoint;
  /** True when nothing was redirected: somebody connected to the listener itself. */
  readonly direct: boolean;
  /** Paused, half-open allowed; whoever takes the connection owns it. */
  readonly socket: Socket;
}

export interface Listener {
  /** The addresses listened on: 127.0.0.1 and, where the kernel has IPv6, ::1. */
  readonly endpoints: readonly Endpoint[];
  close(): Promise<void>;
}

const LOOPBACK = ["127.0.0.1", "::1"] as const;

/**
 * Accepts on loopback only, because REDIRECT delivers there and other pods cannot reach it. A port of 0 is chosen for
 * IPv4 and used for IPv6 too. `onError` hears of connections whose destination the kernel could not tell; they are reset.
 */
export async function listen(
  port: number,
  onConnection: (inbound: Inbound) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const servers: Server[] = [];
  const endpoints: Endpoint[] = [];
  const accept = (socket: Socket) => {
    try {
      onConnection(inboundOf(socket));
    } catch (error) {
      socket.on("error", () => {});
      socket.resetAndDestroy();
      onError(error as Error);
    }
  };
  for (const address of LOOPBACK) {
    const server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      accept,
    );
    try {
      endpoints.push(await bind(server, address, endpoints[0]?.port ?? port));
      servers.push(server);
    } catch (error) {
      if (address === "::1" && hasNoIPv6(error)) continue;
      await Promise.all(servers.map(close));
      throw new Error(
        `cannot listen on ${address} port ${port}: ${(error as Error).message}; is another sidecar running?`,
        { cause: error },
      );
    }
  }
  return {
    endpoints,
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

function inboundOf(socket: Socket): Inbound {
  const local = endpoint(socket.localAddress, socket.localPort);
  const destination = destinationOf(socket) ?? local;
  return {
    source: endpoint(socket.remoteAddress, socket.remotePort),
    destination,
    direct: destination.address === local.address && destination.port === local.port,
    socket,
  };
}

/** Undefined where conntrack has no entry (ENOENT): then the connection was never redirected. */
function destinationOf(socket: Socket): Endpoint | undefined {
  try {
    return originalDestination(descriptorOf(socket));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Node keeps the descriptor of a TCP socket on its handle, where libuv has one (lib/net.js; Unix only). */
function descriptorOf(socket: Socket): number {
  const { _handle } = socket as unknown as { _handle: { fd: number } | null };
  return _handle?.fd ?? -1;
}

function endpoint(address = "", port = 0): Endpoint {
  const parsed = parseAddress(address);
  return { address: parsed ? formatAddress(parsed) : address, port };
}

function bind(server: Server, host: string, port: number): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4_096, ipv6Only: host.includes(":") }, () => {
      server.off("error", reject);
      // EMFILE and its like: accepting goes on when descriptors are free again.
      server.on("error", () => {});
      const bound = server.address();
      resolve({ address: host, port: typeof bound === "object" && bound ? bound.port : port });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function hasNoIPv6(error: unknown): boolean {
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes((error as NodeJS.ErrnoException).code ?? "");
}
