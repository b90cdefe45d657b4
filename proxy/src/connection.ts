import { evaluate } from "@sallyport/core/evaluate";
import type { Policy } from "@sallyport/core/policy";
import type { DenyReason, Reason } from "@sallyport/core/reasons";
import type { DecisionRecord, Ending, Side } from "@sallyport/core/record";
import { DialError, dial } from "./dial.ts";
import type { Inbound } from "./listener.ts";
import type { LoopGuard } from "./loop-guard.ts";
import type { Endpoint } from "./original-destination.ts";
import { type Relay, relay } from "./relay.ts";

/** What a connection needs of the sidecar around it. */
export interface Surroundings {
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly connectTimeoutMs: number;
  readonly loops: LoopGuard;
  policy(): Policy;
  /** At the connection limit: one more is refused. */
  full(): boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What is known of a connection before it ends; the record says the rest. */
export interface LiveConnection {
  readonly id: number;
  readonly startedMs: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly state: "dialling" | "open";
  readonly reason: Reason;
  readonly rule?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/**
 * The way of one connection: accepted → judged → dialled → relayed, or refused → recorded. `run` always resolves, with
 * the one record of what happened.
 */
export class Connection {
  readonly id: number;
  readonly #inbound: Inbound;
  readonly #around: Surroundings;
  readonly #startedMs: number;
  readonly #abort = new AbortController();
  #relay: Relay | undefined;
  #upstream: { bytesRead: number; bytesWritten: number } | undefined;
  #reason: Reason = "denied.no_rule";
  #rule: string | undefined;

  constructor(id: number, inbound: Inbound, around: Surroundings) {
    this.id = id;
    this.#inbound = inbound;
    this.#around = around;
    this.#startedMs = around.now();
  }

  async run(): Promise<DecisionRecord> {
    const { source, destination, socket } = this.#inbound;
    const { loops } = this.#around;
    const fromOurselves = loops.accepted(source, () => this.#refuse());
    socket.once("close", () => loops.closed(source));
    // Until a relay owns the socket: an app that goes away ends the dialling.
    const gone = () => this.#abort.abort();
    socket.on("error", gone);

    if (this.#inbound.direct || fromOurselves) return this.#denied("denied.loop");
    if (this.#around.full()) return this.#denied("denied.limit");

    const decision = evaluate(this.#around.policy(), destination);
    if (decision.verdict === "deny") return this.#denied(decision.reason);
    this.#reason = decision.reason;
    this.#rule = decision.rule;
    const judged = {
      verdict: "allow",
      reason: decision.reason,
      ...(decision.rule !== undefined && { rule: decision.rule }),
      ...(decision.wouldBe && { would_be: decision.wouldBe }),
    } as const;

    const to = { address: decision.dial[0] ?? destination.address, port: destination.port };
    try {
      const upstream = await dial(to, this.#around.connectTimeoutMs, this.#abort.signal);
      const connectMs = this.#around.now() - this.#startedMs;
      if (loops.dialled(upstream)) {
        upstream.destroy();
        return this.#denied("denied.loop");
      }
      this.#upstream = upstream;
      this.#relay = relay(socket, upstream);
      socket.off("error", gone);
      const { by, how, error } = await this.#relay.ended;
      return this.#record(judged, by, how, {
        dialled_address: to.address,
        dialled_port: to.port,
        connect_ms: connectMs,
        ...(error && { error }),
      });
    } catch (error) {
      this.#refuse();
      const failure = error instanceof DialError ? error : new DialError(to, String(error));
      if (failure.code === "ECANCELED") return this.#record(judged, "app", "reset", {});
      const by = failure.reason === "failed.internal" ? "sidecar" : "upstream";
      return this.#record({ ...judged, reason: failure.reason }, by, "failed", {
        dialled_address: to.address,
        dialled_port: to.port,
        error: failure.code,
      });
    }
  }

  /** Resets both sides now. */
  cut(): void {
    if (this.#relay) this.#relay.cut();
    else this.#abort.abort();
  }

  live(): LiveConnection {
    return {
      id: this.id,
      startedMs: this.#startedMs,
      source: this.#inbound.source,
      destination: this.#inbound.destination,
      state: this.#relay ? "open" : "dialling",
      reason: this.#reason,
      ...(this.#rule !== undefined && { rule: this.#rule }),
      ...this.#bytes(),
    };
  }

  #bytes(): { bytesSent: number; bytesReceived: number } {
    return {
      bytesSent: this.#upstream?.bytesWritten ?? 0,
      bytesReceived: this.#upstream?.bytesRead ?? 0,
    };
  }

  /** A bare reset: what opaque TCP can carry of a refusal. The record says the reason. */
  #refuse(): void {
    this.#inbound.socket.resetAndDestroy();
  }

  #denied(reason: DenyReason): DecisionRecord {
    this.#refuse();
    return this.#record({ verdict: "deny", reason }, "sidecar", "refused", {});
  }

  #record(
    judged: Pick<DecisionRecord, "verdict" | "reason" | "rule" | "would_be">,
    closed_by: Side,
    closed_how: Ending,
    more: Partial<DecisionRecord>,
  ): DecisionRecord {
    const { pod, now } = this.#around;
    const { bytesSent, bytesReceived } = this.#bytes();
    return {
      time: new Date(this.#startedMs).toISOString(),
      pod: pod.name,
      namespace: pod.namespace,
      connection: this.id,
      ...judged,
      original_address: this.#inbound.destination.address,
      original_port: this.#inbound.destination.port,
      ...more,
      bytes_sent: bytesSent,
      bytes_received: bytesReceived,
      duration_ms: now() - this.#startedMs,
      closed_by,
      closed_how,
    };
  }
}
