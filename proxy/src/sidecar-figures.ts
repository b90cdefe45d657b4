import type { BoundedWriter } from "./bounded-writer.ts";
import type { Connections } from "./connections.ts";
import type { DeliveryFigures } from "./delivery/delivery.ts";
import type { PolicyHolder } from "./policy-holder.ts";
import type { NamesFigures } from "./resolve/names.ts";
import { figure, type Stat } from "./stats.ts";

/** Envoy's name for a listener carries the address that it redirects to; readers filter for exactly this. */
const LISTENER = "listener.0.0.0.0_15001";

/** The figures of the sidecar itself, beside those of its traffic. */
export function sidecarFigures(of: {
  readonly connections: Connections;
  readonly policy: PolicyHolder;
  readonly accessLog: BoundedWriter;
  readonly names: NamesFigures;
  /** Where the controllers give the policy. */
  readonly delivery?: DeliveryFigures | undefined;
  readonly overflowed: number;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
}): Stat[] {
  const { connections, policy, accessLog, names, nowMs } = of;
  const listener = (name: string, kind: Stat["kind"], value: number) =>
    figure(`${LISTENER}.${name}`, kind, value, `listener.${name}`);
  return [
    listener("downstream_cx_total", "counter", connections.accepted),
    listener("downstream_cx_active", "gauge", connections.active),
    listener("downstream_cx_overflow", "counter", of.overflowed),
    figure("snapshot.version", "gauge", policy.version),
    figure("snapshot.age_seconds", "gauge", Math.round((nowMs - policy.appliedMs) / 1000)),
    figure("snapshot.rejected", "counter", policy.rejected),
    ...(of.delivery ? deliveryFigures(of.delivery, nowMs) : []),
    figure("dns.lookups", "counter", names.lookups),
    figure("dns.cache_hits", "counter", names.hits),
    figure("dns.asked", "counter", names.asked),
    figure("dns.no_address", "counter", names.none),
    figure("dns.failed", "counter", names.failed),
    figure("dns.timeouts", "counter", names.timeouts),
    figure("dns.pending", "gauge", names.pending),
    figure("dns.cached_names", "gauge", names.cached),
    figure("dns.kept_names", "gauge", names.kept),
    figure("dns.kept_names_unknown", "gauge", names.keptUnknown),
    figure("access_log.written", "counter", accessLog.written),
    figure("access_log.dropped", "counter", accessLog.dropped),
    figure("access_log.queued_bytes", "gauge", accessLog.queuedBytes),
    figure("server.uptime", "gauge", Math.round((nowMs - of.startedMs) / 1000)),
    figure("server.ready", "gauge", of.ready ? 1 : 0),
    figure("server.memory_rss_bytes", "gauge", process.memoryUsage.rss()),
  ];
}

function deliveryFigures(
  { connected, connects, failures, heardMs }: DeliveryFigures,
  nowMs: number,
) {
  return [
    figure("control.connected", "gauge", connected ? 1 : 0),
    figure("control.connects_total", "counter", connects),
    figure("control.failures_total", "counter", failures),
    figure("control.silent_seconds", "gauge", Math.max(0, Math.round((nowMs - heardMs) / 1_000))),
  ];
}
