import { Socket } from "node:net";
import type { Allowed, Seen } from "@sallyport/core/decision";
import type { FailReason } from "@sallyport/core/reasons";
import type { Dialled } from "../engine.ts";
import { failReason } from "../fail-reason.ts";
import type { IdlePool } from "./idle-pool.ts";
import type { Originator } from "./originate.ts";
import type { SocketSet } from "./socket-set.ts";
import { TlsWire } from "./tls-wire.ts";
import { type Upstream, upstreamKey, type Verified } from "./upstream.ts";

/** Why there is no upstream, and what was tried. */
export interface NoUpstream {
  readonly reason: FailReason;
  /** The address that failed last; undefined where none was dialled. */
  readonly dialled?: string | undefined;
  /** The system's or OpenSSL's code. */
  readonly error: string;
  /** One clause for people, where there is more to say than the reason does. */
  readonly detail?: string;
}

/** Where a request goes. */
export interface Goal {
  readonly allowed: Allowed;
  readonly port: number;
  /** What is to be verified, where TLS is to be spoken for the app. */
  readonly verified: Verified | undefined;
}

export function keysOf({ allowed, port, verified }: Goal): string[] {
  return allowed.dial.map((address) => upstreamKey(address, port, verified));
}

/** Undefined when the connection for which it dials is gone. */
export type Dial = (addresses: readonly string[], port: number) => Promise<Dialled | undefined>;

/** Connections to destinations: idle ones again, or new ones, with TLS where it is originated. */
export class Upstreams {
  readonly pool: IdlePool;
  readonly #originator: Originator;
  readonly #sockets: SocketSet;
  readonly #now: () => number;

  constructor(pool: IdlePool, originator: Originator, sockets: SocketSet, now: () => number) {
    this.#sockets = sockets;
    this.pool = pool;
    this.#originator = originator;
    this.#now = now;
  }

  /** Undefined where TLS is to be spoken and there is no name that a certificate could be verified for. */
  goalOf(allowed: Allowed, { name }: Seen, appsPort: number): Goal | undefined {
    const { port = appsPort } = allowed;
    if (!allowed.originate) return { allowed, port, verified: undefined };
    const tlsName = allowed.externalName ?? name;
    const { generation } = this.#originator;
    return tlsName === undefined ? undefined : { allowed, port, verified: { tlsName, generation } };
  }

  /** Whether those who are trusted now have verified it, where anything was to be. */
  isTrusted({ verified }: Upstream): boolean {
    return !verified || verified.generation === this.#originator.generation;
  }

  /** Its app has gone: it is for whoever goes there next. */
  putBack(upstream: Upstream): void {
    if (this.isTrusted(upstream)) this.pool.put(upstream);
    else upstream.wire.close();
  }

  /** An idle one that leads where this goes. */
  idle(goal: Goal): Upstream | undefined {
    for (const key of keysOf(goal)) {
      const upstream = this.pool.take(key);
      if (upstream) return upstream;
    }
    return undefined;
  }

  /** `gone`: nobody waits for it any more. */
  async connect(
    goal: Goal,
    dial: Dial,
    gone: AbortSignal,
  ): Promise<Upstream | NoUpstream | undefined> {
    const { allowed, port, verified } = goal;
    const startedMs = this.#now();
    const dialled = await dial(allowed.dial, port);
    if (!dialled) return undefined;
    const address = dialled.address === undefined ? undefined : allowed.dial[dialled.address];
    if ("error" in dialled)
      return { reason: failReason(dialled.error), dialled: address, error: dialled.error };
    const key = upstreamKey(address ?? "", port, verified);
    const upstream = { address: address ?? "", port, key, verified };
    const fresh = { used: false, bound: false };
    if (!verified) {
      const wire = this.#sockets.open(dialled.fd);
      if (!(wire instanceof Error))
        return { ...upstream, ...fresh, wire, connectMs: dialled.connectMs };
      return { reason: "failed.internal", dialled: address, error: wire.message };
    }
    const socket = new Socket({ fd: dialled.fd, allowHalfOpen: true });
    const secured = await this.#secure(socket, verified.tlsName, port, gone);
    if ("reason" in secured) return { ...secured, dialled: address };
    const wire: TlsWire = new TlsWire(secured, (act) => this.#sockets.guard(wire, act));
    return { ...upstream, ...fresh, wire, connectMs: this.#now() - startedMs };
  }

  /** That the means for TLS cannot be had is no reason to end the sidecar. */
  async #secure(socket: Socket, name: string, port: number, gone: AbortSignal) {
    try {
      return await this.#originator.wrap(socket, name, port, gone);
    } catch (error) {
      socket.destroy();
      const detail = `TLS cannot be set up: ${(error as Error).message}`;
      return { reason: "failed.internal", error: "TLS", detail } satisfies NoUpstream;
    }
  }
}
