import type { Change } from "../apps/probe-main.ts";
import { askPod } from "./api.ts";
import { app } from "./containers.ts";
import { apply } from "./kubectl.ts";
import { INJECTED, pod } from "./objects.ts";
import { until } from "./until.ts";
import { waitFor } from "./waiting.ts";

/** A pod that sees what its policy permits, from moment to moment (apps/probe-main.ts). */
export class Probe {
  readonly #namespace: string;
  readonly #name: string;

  private constructor(namespace: string, name: string) {
    this.#namespace = namespace;
    this.#name = name;
  }

  static async start(
    namespace: string,
    urls: readonly string[],
    { name = "probe", gapMs = 20 } = {},
  ): Promise<Probe> {
    const containers = [app("app", "probe-main", String(gapMs), ...urls)];
    // Names outside are asked for as they are.
    const dnsConfig = { options: [{ name: "ndots", value: "1" }] };
    const spec = { containers, dnsConfig, terminationGracePeriodSeconds: 1 };
    await apply(namespace, pod(name, spec, INJECTED));
    await waitFor(namespace, `pod/${name}`, "condition=Ready");
    const probe = new Probe(namespace, name);
    await until("every URL has been asked once", async () => {
      const seen = new Set((await probe.changes()).map(({ url }) => url));
      return urls.every((url) => seen.has(url));
    });
    return probe;
  }

  changes(): Promise<Change[]> {
    return askPod(this.#namespace, this.#name, 8081);
  }

  /** What it sees there now, from when on. */
  async now(url: string): Promise<Change | undefined> {
    return (await this.changes()).findLast((change) => change.url === url);
  }

  /** As soon as it sees that, and for how long it was waited. */
  async sees(url: string, outcome: string, seconds = 30): Promise<Change> {
    let last: Change | undefined;
    await until(
      () => `${url}: ${outcome}; it is ${last?.outcome}`,
      async () => {
        last = await this.now(url).catch(() => undefined); // the API server may be away
        return last?.outcome === outcome;
      },
      seconds,
    );
    return last as Change;
  }
}
