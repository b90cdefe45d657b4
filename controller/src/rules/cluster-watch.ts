import { Cluster } from "@sallyport/core/snapshot";
import * as z from "zod";
import type { PodNetwork } from "../admission/network.ts";
import type { Log } from "../log.ts";
import { type ClusterFacts, clusterFacts, type Found, type Given } from "./cluster-facts.ts";
import type { Miss } from "./cluster-ranges.ts";
import { Collection } from "./collection.ts";
import { clusterPart, type Part } from "./composition.ts";
import type {
  NodeEntry,
  PodEntry,
  ServiceEntry,
  ServiceRangeEntry,
  SliceEntry,
} from "./entries.ts";
import { GonePods } from "./gone-pods.ts";
import { type AskForPod, Inquiry } from "./inquiry.ts";

/**
 * Everybody is sent what changes here, and one change seldom comes alone: it waits for others, longer where they come one
 * after the other.
 */
const SETTLING_MS = { least: 100, most: 1_000 } as const;

const PUT_OFF_MOST_MS = 2_000;

/**
 * In a pod's config, which is one variable of its container's: Linux starts none with a longer one than 128 KB
 * (include/uapi/linux/binfmts.h, MAX_ARG_STRLEN). The single addresses come last.
 */
const MOST_RANGES_TOLD = 2_000;

export interface ClusterWatchOptions {
  readonly pods: Collection<PodEntry>;
  readonly given: Given;
  readonly log: Log;
  /** What every snapshot ends with has become another. */
  readonly onPart: (part: Part) => void;
  readonly onMisses: () => void;
  readonly askForPod: AskForPod;
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
  readonly #gone = new GonePods();
  readonly #inquiry: Inquiry;
  #hasEnded = false;
  #forgetting: NodeJS.Timeout | undefined;
  #settlingMs: number = SETTLING_MS.least;
  #putOffMs: number | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #facts: ClusterFacts | undefined;
  #part: Part | undefined;
  #misses: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #versions: Readonly<Record<string, bigint>> = {};

  constructor({ pods, given, log, onPart, onMisses, askForPod }: ClusterWatchOptions) {
    this.#pods = pods;
    this.#given = given;
    this.#log = log;
    this.#onPart = onPart;
    this.#onMisses = onMisses;
    this.#inquiry = new Inquiry(askForPod);
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

  /** Undefined until all of it has been listed. */
  get network(): PodNetwork | undefined {
    if (!this.#facts) return undefined;
    const { cluster, resolvers } = this.#facts;
    return { resolvers, ranges: cluster.ranges.slice(0, MOST_RANGES_TOLD) };
  }

  /** Up to which versions the facts are those of now. */
  get versions(): Readonly<Record<string, bigint>> {
    const isMade = this.#timer === undefined && !this.#inquiry.running;
    if (this.#facts && isMade) this.#versions = this.#current();
    return this.#versions;
  }

  podChanged(before: PodEntry | undefined, after: PodEntry | undefined): void {
    const [had, has] = [before?.addresses ?? [], after?.addresses ?? []];
    const isStray = (address: string) => !this.#facts?.isOrdinary(address);
    const gone = had.filter((address) => !has.includes(address) && isStray(address));
    for (const address of gone) this.#gone.note(address, performance.now());
    const isEnding = before?.hasEnded !== after?.hasEnded && had.some(isStray);
    if (gone.length > 0 || isEnding || has.some((each) => !had.includes(each) && isStray(each)))
      this.#touch();
  }

  /** As soon as all of it has been listed. */
  begin(): void {
    if (!this.#facts) this.#make();
  }

  /** At once, if anything has changed. */
  async settle(): Promise<void> {
    if (this.#timer !== undefined) this.#make();
    await this.#inquiry.running;
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#forgetting);
  }

  #touch(): void {
    if (this.#facts && !this.#hasEnded)
      this.#timer ??= setTimeout(() => this.#make(), this.#settling(performance.now()));
  }

  #make(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#hasEnded) return;
    const { services, slices, nodes, serviceRanges } = this;
    const all = [this.#pods, services, slices, nodes, serviceRanges];
    if (!all.every(({ isListed }) => isListed)) return;
    const found: Found = {
      pods: this.#pods.values(),
      services: services.values(),
      slices: slices.values(),
      nodes: nodes.values(),
      serviceRanges: serviceRanges.values(),
      gone: this.#gone.addresses(performance.now()),
    };
    const facts = clusterFacts(this.#given, found);
    if (this.#isPutOff(facts, performance.now())) return;
    this.#forgetLater();
    this.#facts = facts;
    this.#versions = this.#current();
    const part = clusterPart(facts);
    const isNew = part.digest !== this.#part?.digest;
    const unreadable = isNew ? missOfUnreadable(facts.cluster) : [];
    this.#tell([...facts.misses, ...unreadable]);
    // Better the cluster as it was than one that no sidecar could read.
    if (!isNew || unreadable.length > 0) return;
    this.#part = part;
    this.#settlingMs = Math.min(SETTLING_MS.most, 2 * this.#settling(performance.now()));
    this.#toldMs = performance.now();
    this.#onPart(part);
  }

  #settling(nowMs: number): number {
    const isQuiet = nowMs - this.#toldMs > 2 * SETTLING_MS.most;
    return isQuiet ? SETTLING_MS.least : this.#settlingMs;
  }

  /** Until the pods that slices name have been asked for; whoever names ever new ones holds up nobody. */
  #isPutOff({ unheard }: ClusterFacts, nowMs: number): boolean {
    const sinceMs = this.#putOffMs ?? nowMs;
    const isPutOff =
      nowMs - sinceMs < PUT_OFF_MOST_MS && this.#inquiry.about(unheard, () => this.#make());
    this.#putOffMs = isPutOff ? sinceMs : undefined;
    return isPutOff;
  }

  #forgetLater(): void {
    clearTimeout(this.#forgetting);
    const ms = this.#gone.untilNextMs(performance.now());
    if (ms !== undefined) this.#forgetting = setTimeout(() => this.#touch(), ms).unref();
  }

  #tell(misses: readonly Miss[]): void {
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

function missOfUnreadable(cluster: Cluster): Miss[] {
  const { error } = Cluster.safeParse(cluster);
  if (!error) return [];
  const text = `sidecars are not told of the cluster as it is now: ${z.prettifyError(error)}`;
  return [{ kind: "unreadable", text }];
}
