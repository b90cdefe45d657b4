import { BULKS, METRICS } from "./measures.ts";
import { BARE, DIRECT, OURS } from "./names.ts";
import { median, type Outcomes } from "./results.ts";

/** A goal, held against one figure of the same run. Where it is asked of several metrics, the worst one is shown. */
export interface Judged {
  readonly goal: string;
  /** Metric, and whose figure ours is held against. */
  readonly where: string;
  readonly unit: string;
  readonly ours: number;
  readonly other: number;
  /** Ours over the other's; undefined where the goal is no ratio. */
  readonly ratio: number | undefined;
  readonly met: boolean;
}

const PEERS = ["envoy", "haproxy", "haproxy-tuned", "nginx", "nginx-64k", "node-pipe"];
const MEMORY_ABOVE_BARE_MB = 12;
const KB_PER_CONNECTION = 1;
const LISTENING_MS = 100;

const THROUGHPUT = BULKS.map((bulk) => METRICS.bulk(...bulk));
const CPU = BULKS.map((bulk) => METRICS.bulkCpu(...bulk));

type Metric = { readonly name: string; readonly unit: string };
export type Figures = (metric: string, contender: string) => number | undefined;

/** In the order of the goals; one whose figures are missing is left out. */
export function judge(outcomes: Outcomes): readonly Judged[] {
  const of: Figures = (metric, contender) => median(outcomes, metric, contender);
  return [
    atLeast("bulk ≥ 0.7 × direct", 0.7, THROUGHPUT, DIRECT, of),
    atLeast("bulk ≥ tuned HAProxy", 1, THROUGHPUT, "haproxy-tuned", of),
    ...["envoy", "haproxy", "nginx"].map((peer) =>
      atLeast(`bulk ≥ 3 × ${peer}`, 3, THROUGHPUT, peer, of),
    ),
    atMost("CPU a GB ≤ tuned HAProxy", 1, CPU, "haproxy-tuned", of),
    ...PEERS.filter((peer) => peer !== "haproxy-tuned").map((peer) =>
      atMost(`CPU a GB ≤ 0.3 × ${peer}`, 0.3, CPU, peer, of),
    ),
    atLeast("short connections ≥ the best peer", 1, [METRICS.short], "max", of),
    atMost("CPU a connection ≤ the best peer", 1, [METRICS.shortCpu], "min", of),
    latency(of),
    privateMemory(of),
    limit("≤ 1 KB an idle connection", METRICS.perConnection, KB_PER_CONNECTION, of),
    limit("listening within 100 ms", METRICS.listening, LISTENING_MS, of),
  ].filter((judged) => judged !== undefined);
}

export function atLeast(
  goal: string,
  factor: number,
  metrics: readonly Metric[],
  who: string,
  of: Figures,
) {
  return worst(ratios(goal, metrics, who, of), (a, b) => a.ratio - b.ratio, factor, true);
}

export function atMost(
  goal: string,
  factor: number,
  metrics: readonly Metric[],
  who: string,
  of: Figures,
) {
  return worst(ratios(goal, metrics, who, of), (a, b) => b.ratio - a.ratio, factor, false);
}

type Ratio = Omit<Judged, "met" | "ratio"> & { readonly ratio: number };

/** `who` is a contender, or "min" or "max": the peer that has the least or the most. */
function ratios(goal: string, metrics: readonly Metric[], who: string, of: Figures): Ratio[] {
  return metrics.flatMap(({ name, unit }) => {
    const contender = who === "min" || who === "max" ? best(who, name, of) : who;
    const ours = of(name, OURS);
    const other = contender && of(name, contender);
    if (ours === undefined || !contender || !other) return [];
    const where = `${name}, against ${contender}`;
    return [{ goal, where, unit, ours, other, ratio: ours / other }];
  });
}

function worst(
  all: readonly Ratio[],
  worstFirst: (a: Ratio, b: Ratio) => number,
  factor: number,
  atLeast: boolean,
): Judged | undefined {
  const shown = [...all].sort(worstFirst)[0];
  return shown && { ...shown, met: atLeast ? shown.ratio >= factor : shown.ratio <= factor };
}

function best(which: "min" | "max", metric: string, of: Figures): string | undefined {
  const known = PEERS.map((peer) => ({ peer, value: of(metric, peer) }))
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
  return known.at(which === "min" ? 0 : -1)?.peer;
}

/** What is added to the direct way. */
function latency(of: Figures): Judged | undefined {
  const { name, unit } = METRICS.p50;
  const peer = best("min", name, of);
  const [direct, ours, other] = [DIRECT, OURS, peer].map((who) => who && of(name, who));
  if (!direct || !ours || !other) return undefined;
  return {
    goal: "added p50 ≤ the best peer",
    where: `${name} less direct, against ${peer}`,
    unit,
    ours: ours - direct,
    other: other - direct,
    ratio: (ours - direct) / (other - direct),
    met: ours <= other,
  };
}

function privateMemory(of: Figures): Judged | undefined {
  const { name, unit } = METRICS.private;
  const ours = of(name, OURS);
  const bare = of(name, BARE);
  if (ours === undefined || bare === undefined) return undefined;
  const allowed = bare + MEMORY_ABOVE_BARE_MB;
  return {
    goal: `private memory ≤ ${BARE} + ${MEMORY_ABOVE_BARE_MB} MB`,
    ...{ where: name, unit, ours, other: allowed, ratio: undefined, met: ours <= allowed },
  };
}

export function limit(goal: string, { name, unit }: Metric, most: number, of: Figures) {
  const ours = of(name, OURS);
  if (ours === undefined) return undefined;
  return { goal, where: name, unit, ours, other: most, ratio: undefined, met: ours <= most };
}
