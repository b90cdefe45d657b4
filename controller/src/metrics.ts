import { VERSION } from "@sallyport/core/version";

/** Upper bounds in seconds: a pod is judged in about a millisecond, and the API server gives up after ten seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

export interface Metrics {
  admitted(webhook: string, verdict: string, seconds: number): void;
  /** In the text format of Prometheus, version 0.0.4. */
  text(gauges: Gauges): string;
}

/** What is so now. */
export interface Gauges {
  readonly certificateNotAfter: Date;
  /** Undefined where nobody leads: without --lease. */
  readonly leading: boolean | undefined;
  /** Lines of families that others count. */
  readonly more?: readonly string[];
}

interface Durations {
  /** One for each bound, and one for what is longer than all of them; not cumulative. */
  readonly counts: number[];
  sum: number;
}

export function createMetrics(): Metrics {
  // Webhooks and verdicts are closed sets: this does not grow with what is asked.
  const requests = new Map<string, number>();
  const durations = new Map<string, Durations>();
  return {
    admitted: (webhook, verdict, seconds) => {
      const labels = `webhook="${webhook}",verdict="${verdict}"`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
      let taken = durations.get(webhook);
      if (!taken) {
        taken = { counts: Array(BUCKETS.length + 1).fill(0), sum: 0 };
        durations.set(webhook, taken);
      }
      const found = BUCKETS.findIndex((bound) => seconds <= bound);
      const bucket = found === -1 ? BUCKETS.length : found;
      taken.counts[bucket] = (taken.counts[bucket] ?? 0) + 1;
      taken.sum += seconds;
    },
    text: ({ certificateNotAfter, leading, more = [] }) =>
      [
        ...family("sallyport_build_info", "gauge", "Always 1.", [`{version="${VERSION}"} 1`]),
        ...family(
          "sallyport_admission_requests_total",
          "counter",
          "AdmissionReviews answered, by webhook and verdict.",
          [...requests].map(([labels, count]) => `{${labels}} ${count}`),
        ),
        ...family(
          "sallyport_admission_duration_seconds",
          "histogram",
          "From the whole request to its answer.",
          [...durations].flatMap(([webhook, taken]) => histogram(webhook, taken)),
        ),
        ...family(
          "sallyport_certificate_not_after_timestamp_seconds",
          "gauge",
          "Until when the serving certificate is valid.",
          [` ${Math.floor(certificateNotAfter.getTime() / 1_000)}`],
        ),
        ...(leading === undefined
          ? []
          : family("sallyport_leader", "gauge", "1 while this controller leads.", [
              ` ${Number(leading)}`,
            ])),
        ...more,
        "",
      ].join("\n"),
  };
}

export function family(
  name: string,
  type: string,
  help: string,
  samples: readonly string[],
): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map((sample) => `${name}${sample}`),
  ];
}

function histogram(webhook: string, { counts, sum }: Durations): string[] {
  let total = 0;
  const buckets = [...BUCKETS, "+Inf"].map((bound, index) => {
    total += counts[index] ?? 0;
    return `_bucket{webhook="${webhook}",le="${bound}"} ${total}`;
  });
  return [...buckets, `_sum{webhook="${webhook}"} ${sum}`, `_count{webhook="${webhook}"} ${total}`];
}
