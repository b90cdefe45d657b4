import { setTimeout as sleep } from "node:timers/promises";
import type { Measure, Subject } from "../data-path/measures.ts";
import { PORTS } from "./names.ts";

/** How long, how many. */
export interface Scale {
  readonly measuredMs: number;
  readonly warmMs: number;
  /** Before memory is read. */
  readonly settleMs: number;
}
/** V8 has compiled what runs often after some 2 s; a sidecar runs for days. */
export const FULL: Scale = { measuredMs: 1_000, warmMs: 2_500, settleMs: 600 };
export const QUICK: Scale = { measuredMs: 300, warmMs: 200, settleMs: 200 };

/** At once: one alone pays each way in full, many let work be gathered. */
const KEPT = [1, 16, 64] as const;
const CLOSED = 32;
const LARGE_AT_ONCE = 8;
const LARGE_BYTES = 1 << 20; // bench/load/http/http.h
const PACE = { connections: 16, rate: 2_000 } as const;
const CROWD = 1_000;

/** The upstream's side, by which the metrics' names differ. */
export type Upstream = "plain" | "tls";

const named = (upstream: Upstream, name: string) => (upstream === "tls" ? `TLS: ${name}` : name);

/** The names by which goals.ts knows them. */
export const METRICS = {
  kept: (upstream: Upstream, mode: "get" | "post", at: number) => ({
    name: named(upstream, `${mode === "get" ? "GET" : "POST of 100 B"}, ${at} connections`),
    unit: "1/s",
  }),
  keptCpu: (upstream: Upstream, mode: "get" | "post", at: number) => ({
    name: named(upstream, `CPU, ${mode === "get" ? "GET" : "POST of 100 B"}, ${at} connections`),
    unit: "µs",
  }),
  closed: (upstream: Upstream) => ({ name: named(upstream, "Connection: close"), unit: "1/s" }),
  closedCpu: (upstream: Upstream) => ({
    name: named(upstream, "CPU, Connection: close"),
    unit: "µs",
  }),
  large: (upstream: Upstream, way: "down" | "up") => ({
    name: named(upstream, `1 MiB ${way}`),
    unit: "Gbit/s",
  }),
  largeCpu: (upstream: Upstream, way: "down" | "up") => ({
    name: named(upstream, `CPU, 1 MiB ${way}`),
    unit: "µs",
  }),
  p50: (upstream: Upstream) => ({ name: named(upstream, "p50 at 2,000/s"), unit: "µs" }),
  p99: (upstream: Upstream) => ({ name: named(upstream, "p99 at 2,000/s"), unit: "µs" }),
  rss: { name: "RSS, idle", unit: "MB" },
  rssCrowd: { name: "RSS, 1,000 connections", unit: "MB" },
  private: { name: "private, idle", unit: "MB" },
  perConnection: { name: "private, a connection", unit: "KB" },
} as const;

/** Every way and number of connections that kept ones are measured at. */
export const ALL_KEPT = (["get", "post"] as const).flatMap((mode) =>
  KEPT.map((at) => [mode, at] as const),
);
export const TLS_KEPT = [...KEPT.map((at) => ["get", at] as const), ["post", 16] as const] as const;

export function plainMeasures(scale: Scale): readonly Measure[] {
  return [
    memory(scale),
    ...ALL_KEPT.map(([mode, at]) => kept("requests", "plain", mode, at, scale)),
    latency("latency", "plain", scale),
    closed("close", "plain", scale),
    large("bodies", "plain", "down", scale),
    large("bodies", "plain", "up", scale),
  ];
}

/** The far end takes no large bodies. */
export function tlsMeasures(scale: Scale): readonly Measure[] {
  return [
    ...TLS_KEPT.map(([mode, at]) => kept("tls", "tls", mode, at, scale)),
    latency("tls", "tls", scale),
    closed("tls", "tls", scale),
    large("tls", "tls", "down", scale),
  ];
}

const at = (upstream: Upstream, { destination }: Subject) =>
  `${destination}:${upstream === "tls" ? PORTS.https : PORTS.http}`;

/** Of each exchange: how many a second, and what the contender's processes took for it, in µs. */
async function exchanges(
  mode: string,
  connections: number,
  upstream: Upstream,
  subject: Subject,
  { warmMs, measuredMs }: Scale,
): Promise<readonly [perSecond: number, cpuUs: number | undefined]> {
  const { load, running } = subject;
  const { count, seconds, cpuSeconds } = await load.run({
    ...{ mode, destination: at(upstream, subject), connections, awake: connections === 1 },
    ...{ warmMs, measuredMs, pids: running?.pids() ?? [] },
  });
  return [count / seconds, running && (cpuSeconds / count) * 1e6];
}

function kept(
  group: string,
  upstream: Upstream,
  mode: "get" | "post",
  connections: number,
  scale: Scale,
): Measure {
  return {
    group,
    metrics: [
      METRICS.kept(upstream, mode, connections),
      METRICS.keptCpu(upstream, mode, connections),
    ],
    measure: (subject) => exchanges(mode, connections, upstream, subject, scale),
  };
}

function closed(group: string, upstream: Upstream, scale: Scale): Measure {
  return {
    group,
    metrics: [METRICS.closed(upstream), METRICS.closedCpu(upstream)],
    measure: (subject) => exchanges("close", CLOSED, upstream, subject, scale),
  };
}

function large(group: string, upstream: Upstream, way: "down" | "up", scale: Scale): Measure {
  return {
    group,
    metrics: [METRICS.large(upstream, way), METRICS.largeCpu(upstream, way)],
    async measure(subject) {
      const [perSecond, cpuUs] = await exchanges(way, LARGE_AT_ONCE, upstream, subject, scale);
      return [(perSecond * LARGE_BYTES * 8) / 1e9, cpuUs];
    },
  };
}

/** At a rate that everybody can serve, so that it is not the queue that is measured. */
function latency(group: string, upstream: Upstream, { warmMs, measuredMs }: Scale): Measure {
  return {
    group,
    metrics: [METRICS.p50(upstream), METRICS.p99(upstream)],
    async measure(subject) {
      const { p50Us, p99Us } = await subject.load.run({
        ...{ mode: "get", destination: at(upstream, subject), ...PACE },
        ...{ warmMs, measuredMs, pids: [] },
      });
      return [p50Us, p99Us];
    },
  };
}

/** Idle, then with a crowd whose connections have each had one answer. */
function memory({ settleMs }: Scale): Measure {
  return {
    group: "memory",
    metrics: [METRICS.rss, METRICS.rssCrowd, METRICS.private, METRICS.perConnection],
    fresh: true,
    async measure(subject) {
      const running = await subject.launch();
      const crowd = subject.load.crowd(at("plain", subject));
      try {
        await sleep(settleMs);
        const idle = running.memory();
        await crowd.hold(CROWD);
        await sleep(settleMs);
        const crowded = running.memory();
        const grownKb = (crowded.private - idle.private) * 1_024;
        return [idle.rss, crowded.rss, idle.private, grownKb / CROWD];
      } finally {
        await crowd.leave();
        await running.stop();
      }
    },
  };
}
