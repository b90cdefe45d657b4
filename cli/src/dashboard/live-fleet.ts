import type { PodPlace } from "../fleet/sidecar-page.ts";
import type { Fleet, WorkloadDetails } from "./fleet.ts";
import { type Heard, hear } from "./heard.ts";
import type { Inventory, InventoryReader, KnownPod } from "./inventory.ts";
import { hostOf } from "./pod-hosts.ts";
import { atMost } from "./rounds.ts";
import { summaryOf } from "./summary.ts";
import type { Tunnels } from "./tunnels.ts";
import { byWorkload, detailsOf } from "./workload-rows.ts";

export const PACE = {
  /** Sidecars asked at a time: each is a connection through the API server. */
  concurrency: 12,
  /** From the end of one round to the next. */
  restMs: 3_000,
  /** Once nobody has looked for that long, nobody is asked. */
  watchedMs: 15_000,
} as const;

const NOTHING: Inventory = { pods: [], rules: [], boundaries: [], problems: [] };

/** The fleet as it is now, for as long as somebody looks: round after round over the API server and every sidecar. */
export class LiveFleet {
  readonly #reader: InventoryReader;
  readonly #tunnels: Tunnels;
  readonly #who: Pick<Fleet, "context" | "server">;
  readonly #heard = new Map<string, Heard>();
  #inventory = NOTHING;
  #readAt: string | undefined;
  #outage: string | undefined;
  #progress = { asked: 0, of: 0 };
  #lookedMs = Number.NEGATIVE_INFINITY;
  #round: Promise<void> | undefined;
  #closed = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(reader: InventoryReader, tunnels: Tunnels, who: Pick<Fleet, "context" | "server">) {
    this.#reader = reader;
    this.#tunnels = tunnels;
    this.#who = who;
  }

  /** What is known now; whoever asks keeps the rounds going. */
  look(): Fleet {
    this.#lookedMs = performance.now();
    this.#begin();
    const outage = this.#outage === undefined ? [] : [this.#outage];
    return {
      ...this.#who,
      now: new Date().toISOString(),
      ...(this.#readAt !== undefined && { readAt: this.#readAt }),
      problems: [...outage, ...this.#inventory.problems],
      progress: this.#progress,
      ...summaryOf(this.#inventory, this.#heardOf),
    };
  }

  details(id: string): WorkloadDetails | undefined {
    const pods = byWorkload(this.#inventory.pods).get(id);
    return pods && detailsOf(id, pods, this.#heardOf);
  }

  /** The pod whose own page is asked for by this host: one with a sidecar that runs, and no other. */
  podAt(host: string): PodPlace | undefined {
    return this.#running().find(({ namespace, name }) => hostOf(namespace, name) === host);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rest);
    this.#tunnels.close();
  }

  readonly #heardOf = (pod: KnownPod): Heard | undefined => this.#heard.get(pod.uid);

  #running(): readonly KnownPod[] {
    return this.#inventory.pods.filter(({ sidecar }) => sidecar === "runs");
  }

  #begin(): void {
    if (this.#closed || this.#round || this.#rest) return;
    this.#round = this.#go().finally(() => {
      this.#round = undefined;
      this.#rest = setTimeout(() => {
        this.#rest = undefined;
        if (performance.now() - this.#lookedMs < PACE.watchedMs) this.#begin();
      }, PACE.restMs);
      this.#rest.unref();
    });
  }

  async #go(): Promise<void> {
    try {
      this.#inventory = await this.#reader.read();
      this.#readAt = new Date().toISOString();
      this.#outage = undefined;
    } catch (error) {
      this.#outage = (error as Error).message;
      return;
    }
    const pods = this.#running();
    this.#forgetOthers(pods);
    this.#progress = { asked: 0, of: pods.length };
    await atMost(PACE.concurrency, pods, async (pod) => {
      if (this.#closed) return;
      this.#heard.set(pod.uid, await hear(this.#tunnels, pod, this.#heard.get(pod.uid)));
      this.#progress = { ...this.#progress, asked: this.#progress.asked + 1 };
    });
  }

  #forgetOthers(pods: readonly KnownPod[]): void {
    const there = new Set(pods.map(({ uid }) => uid));
    for (const uid of this.#heard.keys()) if (!there.has(uid)) this.#heard.delete(uid);
    this.#tunnels.keepOnly(pods);
  }
}
