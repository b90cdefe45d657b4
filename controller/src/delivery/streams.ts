import type { Duplex } from "node:stream";
import type { Log } from "../log.ts";
import type { PodRef, Snapshots } from "../rules/snapshots.ts";
import { Claims } from "./claims.ts";
import type { Figures } from "./figures.ts";
import type { ConnectedSidecar, Fleet, FleetListener } from "./fleet.ts";
import type { Limits } from "./limits.ts";
import { Listeners } from "./listeners.ts";
import type { Reviewer } from "./reviewer.ts";
import type { Accepted } from "./standing.ts";
import { Stream, type StreamWorld } from "./stream.ts";

export interface StreamsOptions {
  readonly snapshots: Snapshots;
  readonly reviewer: Reviewer;
  readonly figures: Figures;
  readonly limits: Limits;
  readonly log: Log;
}

/** How often streams are ended while a controller leaves: a few each time. */
const LEAVE_EVERY_MS = 100;
/** What a log says at most of one kind of trouble in a minute: 2,000 sidecars may have the same. */
const TROUBLES = { most: 20, everyMs: 60_000 } as const;

/** All streams of a controller: one of each pod, and one clock for all. */
export class Streams implements Fleet {
  /** By the pod's uid. */
  readonly #open = new Map<string, Stream>();
  /** Those, too, that have ended and whose sockets have not. */
  readonly #all = new Set<Stream>();
  readonly #world: StreamWorld;
  readonly #claims = new Claims();
  readonly #listeners: Listeners;
  readonly #wheel: NodeJS.Timeout;

  constructor({ snapshots, reviewer, figures, limits, log }: StreamsOptions) {
    const listeners = new Listeners(log);
    const trouble = troubleLog(log);
    this.#listeners = listeners;
    this.#world = {
      ...{ snapshots, reviewer, figures, listeners, limits, trouble },
      claims: this.#claims,
      ended: (stream, code, why) => {
        figures.end(code);
        if (this.#open.get(stream.pod.uid) === stream) this.#open.delete(stream.pod.uid);
        if (code === "malformed" || code === "no_schema" || code === "slow" || code === "token")
          trouble(stream.pod, `a stream is ended: ${code}`, why);
        else log("debug", "a stream has ended", { ...stream.pod, why });
        listeners.tell("changed", stream.pod);
      },
      closed: (stream) => void this.#all.delete(stream),
    };
    this.#wheel = setInterval(() => this.#look(), limits.wheelMs).unref();
  }

  /** Sockets that are held, whether or not their streams have ended. */
  get size(): number {
    return this.#all.size;
  }

  get streams(): number {
    return this.#open.size;
  }

  connected(): Iterable<ConnectedSidecar> {
    return this.#open.values();
  }

  listen(listener: FleetListener): () => void {
    return this.#listeners.add(listener);
  }

  /** The newest stream of a pod is the one: the sidecar knows best that the other is dead. */
  open(socket: Duplex, accepted: Accepted, token: string): void {
    const stream = new Stream(socket, accepted, token, this.#world);
    this.#open.get(stream.pod.uid)?.end("replaced");
    this.#open.set(stream.pod.uid, stream);
    this.#all.add(stream);
  }

  /** Ends them one after the other over so long, so that their sidecars do not all come to another replica at once. */
  async leave(overMs: number): Promise<void> {
    const steps = Math.max(1, Math.floor(overMs / LEAVE_EVERY_MS));
    for (let left = steps; left > 0; left--) {
      // Of a share that is no whole number, the rest is by chance; at last all go that are there.
      const many = Math.floor(this.#open.size / left + (left > 1 ? Math.random() : 0));
      for (const stream of [...this.#open.values()].slice(0, many)) stream.end("leaving");
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, LEAVE_EVERY_MS));
    }
  }

  close(): void {
    clearInterval(this.#wheel);
    for (const stream of this.#all) stream.destroy();
  }

  #look(): void {
    const now = performance.now();
    this.#claims.look(now);
    for (const stream of this.#all) stream.look(now);
  }
}

function troubleLog(log: Log) {
  const told = new Map<string, { count: number; sinceMs: number }>();
  return (pod: PodRef, message: string, problem: string): void => {
    const now = performance.now();
    let kind = told.get(message);
    if (!kind || now - kind.sinceMs > TROUBLES.everyMs) kind = { count: 0, sinceMs: now };
    told.set(message, kind);
    kind.count++;
    if (kind.count <= TROUBLES.most) log("warn", message, { ...pod, problem });
    if (kind.count === TROUBLES.most)
      log("warn", `${message}: more of these are not told for a minute`);
  };
}
