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
  { namespace, pod, port }: PodPort,
  path: string,
  patienceMs: number,
): Promise<Page> {
  const late = AbortSignal.timeout(patienceMs);
  const [toPod, fromPod, complaints] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const complaint = firstOf(complaints);
  const forward = new PortForward(config).portForward(
    ...[namespace, pod, [port], fromPod, complaints, toPod],
  );
  const socket = await Promise.race([forward, lateness(late, patienceMs)]).catch((error) => {
    // Should it come to be all the same, nobody waits for it.
    forward.then((late) => "close" in late && late.close()).catch(() => {});
    throw error instanceof NotForwarded ? error : refused(error);
  });
  if (!("close" in socket)) throw new NotForwarded("the connection could not be begun");
  socket.onclose = () => {
    fromPod.end();
    complaints.end();
  };
  try {
    return await Promise.race([
      ask(Duplex.from({ writable: toPod, readable: fromPod }), port, path, late),
      complaint.then((said) => {
        throw new NotForwarded(inFewerWords(said, port));
      }),
      lateness(late, patienceMs),
    ]);
  } finally {
    socket.close();
  }
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
      reject(new NotForwarded(`the connection ended before an answer came: ${error.message}`));
    });
    sent.end();
  });
}

/** What the kubelet says when it cannot connect; a stream that ends without a word says nothing. */
function firstOf(stream: PassThrough): Promise<string> {
  return new Promise((resolve) => {
    stream.once("data", (said: Buffer) => resolve(said.toString().trim()));
  });
}

/** The runtime's words go through four programs, each of which adds some. */
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
