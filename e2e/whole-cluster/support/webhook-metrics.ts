import { kubectl } from "./kubectl.ts";
import type { Latencies } from "./latencies.ts";

const METRIC = "apiserver_admission_webhook_admission_duration_seconds_bucket";

/** Of each webhook, how many calls took at most so many seconds: cumulative, as Prometheus counts. */
export type Histograms = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** What the API server has measured of the webhooks that it calls for new objects, since it was started. */
export async function webhookHistograms(): Promise<Histograms> {
  const all = new Map<string, Map<number, number>>();
  for (const line of (await kubectl("get", "--raw", "/metrics")).split("\n")) {
    const [, labels = "", count] = new RegExp(`^${METRIC}\\{(.*)\\} (\\S+)$`).exec(line) ?? [];
    const {
      name,
      operation,
      le = "",
    } = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    ) as Record<string, string | undefined>;
    if (name === undefined || operation !== "CREATE") continue;
    const histogram = all.get(name) ?? new Map<number, number>();
    const seconds = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    histogram.set(seconds, (histogram.get(seconds) ?? 0) + Number(count)); // rejected or not
    all.set(name, histogram);
  }
  return all;
}

/** Of the calls between two readings: the bounds of the buckets in which the quantiles lie. */
export function between(before: Histograms, after: Histograms, name: string): Latencies {
  const counts = [...(after.get(name) ?? [])]
    .map(([le, count]) => [le * 1_000, count - (before.get(name)?.get(le) ?? 0)] as const)
    .toSorted(([a], [b]) => a - b);
  const count = counts.at(-1)?.[1] ?? 0;
  const at = (part: number) => counts.find(([, below]) => below >= part * count)?.[0] ?? 0;
  return { count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
