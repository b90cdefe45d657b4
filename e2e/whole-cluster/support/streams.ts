import type { V1Pod } from "@kubernetes/client-node";
import type { Sent } from "../apps/stream-main.ts";
import { askPod } from "./api.ts";
import { app } from "./containers.ts";
import { apply, read } from "./kubectl.ts";
import { INJECTED, pod } from "./objects.ts";
import { waitFor } from "./waiting.ts";

const LISTENER = "listener";

/** What streams are sent to: a pod that asks for no sidecar. */
export class Listener {
  readonly #namespace: string;
  readonly url: string;

  private constructor(namespace: string, url: string) {
    this.#namespace = namespace;
    this.url = url;
  }

  static async start(namespace: string): Promise<Listener> {
    const containers = [app("app", "listener-main")];
    await apply(namespace, pod(LISTENER, { containers }));
    await waitFor(namespace, `pod/${LISTENER}`, "condition=Ready");
    const { status } = await read<V1Pod>(namespace, "pod", LISTENER);
    return new Listener(namespace, `http://${status?.podIP}:8080`);
  }

  /** The numbers of the requests that have arrived. */
  heard(): Promise<number[]> {
    return askPod(this.#namespace, LISTENER, 8080, "heard");
  }
}

/** A pod whose app sends one request after the other, through its sidecar where it is given one. */
export class Stream {
  readonly namespace: string;
  readonly name: string;

  private constructor(namespace: string, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  static async start(
    namespace: string,
    { to, name = "stream", gapMs = 20 }: { to: string; name?: string; gapMs?: number },
  ): Promise<Stream> {
    const containers = [app("app", "stream-main", to, String(gapMs))];
    const spec = { containers, terminationGracePeriodSeconds: 1 };
    await apply(namespace, pod(name, spec, INJECTED));
    await waitFor(namespace, `pod/${name}`, "condition=Ready");
    return new Stream(namespace, name);
  }

  pod(): Promise<V1Pod> {
    return read(this.namespace, "pod", this.name);
  }

  /** All that was sent so far and has come to an end. */
  sent(): Promise<Sent[]> {
    return askPod(this.namespace, this.name, 8081);
  }
}

export const failedOf = (sent: readonly Sent[]): readonly Sent[] =>
  sent.filter(({ problem }) => problem !== undefined);
