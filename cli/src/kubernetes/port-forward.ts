import { request } from "node:http";
import { Duplex, PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface Page {
  /** The HTTP status. */
  readonly status: number;
  readonly body: string;
}

/** The pod's node, or the API server, does not carry the connection; `status` is the API server's, where it said no. */
export class NotForwarded extends Error {
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks a pod for a page of a port that listens on its loopback only: one HTTP request inside a port-forward, through the
 * API server and the kubelet, as kubectl's.
 */
export async function pageOf(
  config: KubeConfig,
  where: PodPort,
  path: string,
  patienceMs: number,
): Promise<Page> {
  const late = AbortSignal.timeout(patienceMs);
  const tunnel = await openTunnel(config, where, patienceMs);
  try {
    return await Promise.race([ask(tunnel, where.port, path, late), lateness(late, patienceMs)]);
  } finally {
    tunnel.destroy();
  }
}

/** A connection to a pod's port; its error, should it have one, is a NotForwarded. */
export type Tunnel = Duplex & typeof AS_A_SOCKET;

/** What an HTTP agent asks of a socket, and a connection inside another has not. */
const AS_A_SOCKET = {
  setKeepAlive: () => {},
  setNoDelay: () => {},
  setTimeout: () => {},
  ref: () => {},
  unref: () => {},
} as const;

/** The library writes whatever comes, however slowly it is read, and waits for nobody. */
class Unread extends PassThrough {
  static readonly mostBytes = 32 << 20;
  // biome-ignore lint/suspicious/noExplicitAny: as it is declared there, in three ways
  override write(chunk: any, ...more: any[]): boolean {
    if (this.writableLength + this.readableLength > Unread.mostBytes)
      this.destroy(new NotForwarded(`more than ${Unread.mostBytes} bytes came unread`));
    return super.write(chunk, ...more);
  }
}

/** A connection to a port that listens on a pod's loopback only, through the API server and the kubelet. */
export async function openTunnel(
  config: KubeConfig,
  { namespace, pod, port }: PodPort,
  patienceMs: number,
): Promise<Tunnel> {
  const late = AbortSignal.timeout(patienceMs);
  const [toPod, fromPod, complaints] = [new PassThrough(), new Unread(), new PassThrough()];
  const forward = new PortForward(config).portForward(
    ...[namespace, pod, [port], fromPod, complaints, toPod],
  );
  const socket = await Promise.race([forward, lateness(late, patienceMs)]).catch((error) => {
    // Should it come to be all the same, nobody waits for it.
    forward.then((late) => "close" in late && late.close()).catch(() => {});
    throw error instanceof NotForwarded ? error : refused(error);
  });
  if (!("close" in socket)) throw new NotForwarded("the connection could not be begun");
  const tunnel = Object.assign(Duplex.from({ writable: toPod, readable: fromPod }), AS_A_SOCKET);
  // Whoever uses it hears of an error; that nobody uses it any more is none.
  tunnel.on("error", () => {});
  tunnel.once("close", () => socket.close());
  complaints.once("data", (said: Buffer) => {
    tunnel.destroy(new NotForwarded(inFewerWords(said.toString().trim(), port)));
  });
  socket.onclose = () => {
    fromPod.end();
    complaints.end();
  };
  return tunnel;
}

function ask(connection: Duplex, port: number, path: string, signal: AbortSignal): Promise<Page> {
  return new Promise((resolve, reject) => {
    const sent = request(
      // The admin server answers to loopback's names only.
      {
        path,
        host: "localhost",
        port,
        createConnection: () => connection,
        signal,
        headers: { connection: "close" },
      },
      (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      },
    );
    sent.once("error", (error) => {
      reject(
        error instanceof NotForwarded
          ? error
          : new NotForwarded(`the connection ended before an answer came: ${error.message}`),
      );
    });
    sent.end();
  });
}

/** What the kubelet says when it cannot connect: the runtime's words go through four programs, each of which adds some. */
function inFewerWords(said: string, port: number): string {
  return said.includes("connection refused")
    ? `nothing listens on port ${port} of the pod`
    : said.replaceAll(/\s+/g, " ");
}

async function lateness(late: AbortSignal, patienceMs: number): Promise<never> {
  return await new Promise((_, reject) => {
    late.addEventListener("abort", () => {
      reject(new NotForwarded(`no answer within ${patienceMs / 1_000} s`));
    });
  });
}

/** Of a refused upgrade the WebSocket library tells the status alone. */
function refused(error: { readonly message?: string }): NotForwarded {
  const message = error.message ?? String(error);
  const status = /Unexpected server response: (\d+)/.exec(message)?.[1];
  return new NotForwarded(message, status === undefined ? undefined : Number(status));
}
