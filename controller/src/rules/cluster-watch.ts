import { Cluster } from "@sallyport/core/snapshot";
import * as z from "zod";
import type { Log } from "../log.ts";
import { type ClusterFacts, clusterFacts, type Found, type Given } from "./cluster-facts.ts";
import { Collection } from "./collection.ts";
import { clusterPart, type Part } from "./composition.ts";
import type {
  NodeEntry,
  PodEntry,
  ServiceEntry,
  ServiceRangeEntry,
  SliceEntry,
} from "./entries.ts";

/** Everybody is sent what changes here, and one change seldom comes alone. */
const SETTLING_MS = 100;

export interface ClusterWatchOptions {
  readonly pods: Collection<PodEntry>;
  readonly given: Given;
  readonly log: Log;
  /** What every snapshot ends with has become another. */
  readonly onPart: (part: Part) => void;
  readonly onMisses: () => void;
}

/** The facts of the cluster, made again when something of them has changed. */
export class ClusterWatch {
  readonly services: Collection<ServiceEntry>;
  readonly slices: Collection<SliceEntry>;
  readonly nodes: Collection<NodeEntry>;
  readonly serviceRanges: Collection<ServiceRangeEntry>;
  readonly #pods: Collection<PodEntry>;
  readonly #given: Given;
  readonly #log: Log;
  readonly #onPart: (part: Part) => void;
  readonly #onMisses: () => void;
  readonly #told = new Set<string>();
  #facts: ClusterFacts | undefined;
  #part: Part | undefined;
  #misses: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #versions: Readonly<Record<string, bigint>> = {};

  constructor({ pods, given, log, onPart, onMisses }: ClusterWatchOptions) {
    this.#pods = pods;
    this.#given = given;
    this.#log = log;
    this.#onPart = onPart;
    this.#onMisses = onMisses;
    const touch = () => this.#touch();
    const begin = () => this.begin();
    this.services = new Collection<ServiceEntry>(touch, begin);
    this.slices = new Collection<SliceEntry>((...both) => {
      if (both.some((each) => each && !this.#isOrdinary(each))) this.#touch();
    }, begin);
    this.nodes = new Collection<NodeEntry>(touch, begin);
    this.serviceRanges = new Collection<ServiceRangeEntry>(touch, begin);
  }

  /** What the installation was not told right, or not at all. */
  get misses(): readonly string[] {
    return this.#misses;
  }

  /** Up to which versions the facts are those of now. */
  get versions(): Readonly<Record<string, bigint>> {
    if (this.#facts && this.#timer === undefined) this.#versions = this.#current();
    return this.#versions;
  }

  podChanged(before: PodEntry | undefined, after: PodEntry | undefined): void {
    const addresses = [...(before?.addresses ?? []), ...(after?.addresses ?? [])];
    if (addresses.some((each) => !this.#facts?.isOrdinary(each))) this.#touch();
  }

  /** As soon as all of it has been listed. */
  begin(): void {
    if (!this.#facts) this.#make();
  }

  /** At once, if anything has changed. */
  settle(): void {
    if (this.#timer !== undefined) this.#make();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #touch(): void {
    if (this.#facts) this.#timer ??= setTimeout(() => this.#make(), SETTLING_MS);
  }

  #make(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { services, slices, nodes, serviceRanges } = this;
    const all = [this.#pods, services, slices, nodes, serviceRanges];
    if (!all.every(({ isListed }) => isListed)) return;
    const found: Found = {
      pods: this.#pods.values(),
      services: services.values(),
      slices: slices.values(),
      nodes: nodes.values(),
      serviceRanges: serviceRanges.values(),
    };
    const facts = clusterFacts(this.#given, found);
    this.#facts = facts;
    this.#versions = this.#current();
    this.#tell(facts);
    const part = clusterPart(facts);
    if (part.digest === this.#part?.digest) return;
    // No sidecar could read it: better the cluster as it was.
    const checked = Cluster.safeParse(facts.cluster);
    if (!checked.success) {
      const problem = z.prettifyError(checked.error);
      this.#log("error", `sidecars are not told of the cluster as it is now: ${problem}`);
      return;
    }
    this.#part = part;
    this.#onPart(part);
  }

  #tell({ misses }: ClusterFacts): void {
    const texts = misses.map(({ text }) => text);
    const isNew = texts.join("\n") !== this.#misses.join("\n");
    this.#misses = texts;
    if (isNew) this.#onMisses();
    const kinds = new Set(misses.map(({ kind }) => kind));
    for (const { kind, text } of misses) if (!this.#told.has(kind)) this.#log("warn", text);
    this.#told.clear();
    for (const kind of kinds) this.#told.add(kind);
  }

  #isOrdinary({ namespace, name, endpoints }: SliceEntry): boolean {
    if (namespace === "default" && name === "kubernetes") return false;
    return endpoints.every(({ address }) => this.#facts?.isOrdinary(address));
  }

  #current(): Record<string, bigint> {
    const { services, slices, nodes, serviceRanges } = this;
    const all = Object.entries({
      services,
      endpointslices: slices,
      nodes,
      servicecidrs: serviceRanges,
    });
    return Object.fromEntries(all.map(([what, { version }]) => [what, version ?? 0n]));
  }
}
