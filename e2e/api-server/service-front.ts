import { request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { Relay } from "./relay.ts";

/** How often readiness is asked: a kubelet asks every few seconds. */
const PROBE_MS = 200;

/**
 * What a Service is to its callers: new connections go to a replica that is ready, open ones stay where they are. It
 * stands on loopback, where an API server alone has neither kubelet nor kube-proxy.
 */
export class ServiceFront implements AsyncDisposable {
  readonly port: number;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  /** `replicas` gives the ports on which there might be one, whenever it is asked. */
  static async start(replicas: () => readonly number[]): Promise<ServiceFront> {
    let ready: readonly number[] = [];
    let turn = 0;
    let open = true;
    const relay = await Relay.start(() => ready[turn++ % ready.length]);
    void (async () => {
      while (open) {
        const found = await Promise.all(
          replicas().map(async (port) => ((await readiness(port)).status === 200 ? [port] : [])),
        );
        ready = found.flat();
        await delay(PROBE_MS);
      }
    })();
    return new ServiceFront(relay.port, () => {
      open = false;
      relay[Symbol.dispose]();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}

/** As a kubelet asks: whatever the certificate. Status 0: nobody answers. */
export function readiness(port: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/readyz", agent: false, rejectUnauthorized: false },
      async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString();
        resolve({ status: answer.statusCode ?? 0, text });
      },
    );
    call.on("error", ({ message }) => resolve({ status: 0, text: message }));
    call.end();
  });
}
