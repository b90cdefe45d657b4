import { Agent, type ClientRequestArgs, request } from "node:http";
import type { Duplex } from "node:stream";
import { PORTS } from "@sallyport/proxy/contract";
import type { PodPlace } from "../fleet/sidecar-page.ts";
import { NotForwarded } from "../kubernetes/port-forward.ts";

/** A connection to the admin port of a pod's sidecar. */
export type Reach = (pod: PodPlace) => Promise<Duplex>;

const ANSWER_MS = 10_000;
const MOST_BYTES = 8 << 20;

/** HTTP to sidecars, each by a few connections that are kept for as long as the sidecar keeps them. */
export class Tunnels {
  readonly #reach: Reach;
  readonly #agents = new Map<string, Agent>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  agentFor(pod: PodPlace): Agent {
    const key = `${pod.namespace}/${pod.name}`;
    const agent = this.#agents.get(key) ?? new TunnelAgent(() => this.#reach(pod));
    this.#agents.set(key, agent);
    return agent;
  }

  /** What a page of a pod's says, as JSON. Whatever is wrong is thrown, in words for people. */
  ask(pod: PodPlace, path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const sent = request(
        { agent: this.agentFor(pod), host: "localhost", port: PORTS.admin, path, signal },
        (answer) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          answer.on("data", (part: Buffer) => {
            bytes += part.length;
            parts.push(part);
            if (bytes > MOST_BYTES) sent.destroy(new Error(`${path} is longer than 8 MB`));
          });
          answer.once("end", () => {
            if (answer.statusCode !== 200)
              return reject(new Error(`${path} answers ${answer.statusCode}`));
            try {
              resolve(JSON.parse(Buffer.concat(parts).toString()));
            } catch {
              reject(new Error(`${path} is no JSON`));
            }
          });
          answer.once("close", () => reject(new Error(`${path} ended too soon`)));
        },
      );
      sent.once("error", (error) => {
        const isLate = error.name === "AbortError" || error.name === "TimeoutError";
        reject(isLate ? new Error(`no answer within ${ANSWER_MS / 1_000} s`) : error);
      });
      sent.end();
    });
  }

  /** Of pods that are gone, nothing is kept. */
  keepOnly(pods: readonly PodPlace[]): void {
    const there = new Set(pods.map(({ namespace, name }) => `${namespace}/${name}`));
    for (const [key, agent] of this.#agents)
      if (!there.has(key)) {
        agent.destroy();
        this.#agents.delete(key);
      }
  }

  close(): void {
    this.keepOnly([]);
  }
}

class TunnelAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: 4, maxFreeSockets: 1 });
    this.#open = open;
  }

  override createConnection(
    _: ClientRequestArgs,
    opened?: (error: Error | null, connection: Duplex) => void,
  ): undefined {
    this.#open().then(
      (connection) => opened?.(null, connection),
      // Of an error alone no connection is looked at.
      (error: Error) => opened?.(error, undefined as unknown as Duplex),
    );
  }
}

/** Why a sidecar does not answer, for people. */
export function inWords(error: Error): string {
  if (error instanceof NotForwarded && error.status === 403)
    return "you may not connect to it: ask for create on pods/portforward in its namespace";
  return error.message;
}
