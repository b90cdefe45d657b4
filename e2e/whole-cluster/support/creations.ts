import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { STATUS } from "@sallyport/controller/admission/names";
import { api } from "./api.ts";
import { INJECTED } from "./objects.ts";

/** What became of one pod's creation. */
export interface Creation {
  readonly namespace: string;
  /** When it was asked for (performance.now), and how long the answer took. */
  readonly atMs: number;
  readonly ms: number;
  readonly injected: boolean;
  /** Absent: it was created. */
  readonly problem?: string;
}

export interface Load {
  readonly namespaces: readonly string[];
  /** So many are under way in each namespace at every moment. */
  readonly atOnce: number;
  /** Between an answer and the next creation. */
  readonly pauseMs?: number;
  /** Otherwise it is by server-side dry run: of that admission is the whole, and nothing is left to be deleted. */
  readonly stored?: boolean;
}

/** One that no scheduler looks at (KEP-3521): what is tried is its creation. */
const POD: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "load-", annotations: INJECTED },
  spec: {
    containers: [{ name: "app", image: "app" }],
    schedulingGates: [{ name: "nobody.example/opens" }],
  },
};

export async function createPod(namespace: string, stored = false): Promise<Creation> {
  const rest = await api();
  const atMs = performance.now();
  const told = (what: Pick<Creation, "injected" | "problem">): Creation => ({
    ...{ namespace, atMs, ms: performance.now() - atMs },
    ...what,
  });
  try {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const created = await rest.post(path, POD, stored ? {} : { dryRun: "All" });
    const { metadata } = created as V1Pod;
    return told({ injected: metadata?.annotations?.[STATUS] !== undefined });
  } catch (error) {
    return told({ injected: false, problem: (error as Error).message });
  }
}

/** Pods that are created one after the other, for as long as it lasts. */
export class Creations {
  readonly all: Creation[] = [];
  readonly #workers: Promise<unknown>;
  #ended = false;

  constructor(load: Load) {
    this.#workers = Promise.all(
      load.namespaces.flatMap((namespace) =>
        Array.from({ length: load.atOnce }, () => this.#work(namespace, load)),
      ),
    );
  }

  /** Waits for so many more answers, whatever they are. */
  async more(count: number): Promise<void> {
    const enough = this.all.length + count;
    while (this.all.length < enough) await sleep(10);
  }

  async end(): Promise<readonly Creation[]> {
    this.#ended = true;
    await this.#workers;
    return this.all;
  }

  async #work(namespace: string, { pauseMs = 0, stored = false }: Load): Promise<void> {
    while (!this.#ended) {
      this.all.push(await createPod(namespace, stored));
      await sleep(pauseMs);
    }
  }
}

export const failedOf = (creations: readonly Creation[]): readonly Creation[] =>
  creations.filter(({ problem }) => problem !== undefined);

/** How many, how slow, and what the first problems were. */
export function summaryOf(creations: readonly Creation[]): string {
  const failed = failedOf(creations);
  const slowest = Math.max(0, ...creations.map(({ ms }) => ms));
  return [
    `${creations.length} creations, ${failed.length} failed, the slowest took ${Math.round(slowest)} ms`,
    ...failed.slice(0, 3).map(({ namespace, problem }) => `${namespace}: ${problem}`),
  ].join("\n");
}
