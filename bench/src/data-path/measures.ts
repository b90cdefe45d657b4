import { setTimeout as sleep } from "node:timers/promises";
import type { LoadProgram } from "./load.ts";
import type { Memory, Running } from "./running.ts";

/** A contender as a measure meets it. */
export interface Subject {
  readonly destination: string;
  readonly load: LoadProgram;
  readonly carriesNothing: boolean;
  readonly asksJavaScript: boolean;
  /** It runs for as long as such measures go on; undefined where nothing stands in between. */
  readonly running?: Running | undefined;
  /** Starts it anew, for a measure that needs it fresh. */
  launch(): Promise<Running>;
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
}

export interface Measure {
  readonly group: string;
  readonly metrics: readonly Metric[];
  /** Starts and stops its subject itself, alone; the others are measured while all contenders run. */
  readonly fresh?: boolean;
  /** A value for each metric, undefined where it means nothing for this subject. */
  measure(subject: Subject): Promise<readonly (number | undefined)[]>;
}

/** How long, how many. */
export interface Scale {
  readonly bulkMs: number;
  readonly shortMs: number;
  readonly keepaliveMs: number;
  readonly warmMs: number;
  /** Before memory is read. */
  readonly settleMs: number;
}
export const FULL: Scale = {
  ...{ bulkMs: 1_000, shortMs: 1_000, keepaliveMs: 1_200, warmMs: 250, settleMs: 600 },
};
export const QUICK: Scale = {
  ...{ bulkMs: 300, shortMs: 300, keepaliveMs: 300, warmMs: 100, settleMs: 200 },
};

const CROWDS = [1_000, 8_000] as const;
const STREAMS = [1, 8] as const;
const AT_ONCE = 32;
/** One alone wakes JavaScript for each of its messages; the more there are, the more go into one batch. */
const ASKING_AT_ONCE = [1, 8, 64] as const;
const QUESTIONS = { connections: 16, rate: 1_000 } as const;

const counted = (count: number) => count.toLocaleString("en");
const streams = (count: number) => (count === 1 ? "1 stream" : `${count} streams`);

/** The names by which goals.ts knows them. */
export const METRICS = {
  listening: { name: "time to listening", unit: "ms" },
  rss: { name: "RSS, idle", unit: "MB" },
  private: { name: "private, idle", unit: "MB" },
  rssWith: (count: number) => ({ name: `RSS, ${counted(count)} connections`, unit: "MB" }),
  privateWith: (count: number) => ({ name: `private, ${counted(count)} connections`, unit: "MB" }),
  perConnection: { name: "private, a connection", unit: "KB" },
  bulk: (way: "down" | "up", count: number) => ({
    ...{ name: `${way}, ${streams(count)}`, unit: "Gbit/s" },
  }),
  bulkCpu: (way: "down" | "up", count: number) => ({
    ...{ name: `CPU ${way}, ${streams(count)}`, unit: "s/GB" },
  }),
  short: { name: "short connections", unit: "1/s" },
  shortCpu: { name: "CPU, a short connection", unit: "µs" },
  asking: (count: number) => ({ name: `asking JavaScript, ${count} at once`, unit: "µs" }),
  p50: { name: "keep-alive p50", unit: "µs" },
  p99: { name: "keep-alive p99", unit: "µs" },
} as const;

/** Every way and number of streams that bulk is measured at. */
export const BULKS = (["down", "up"] as const).flatMap((way) =>
  STREAMS.map((count) => [way, count] as const),
);

export function measures(scale: Scale): readonly Measure[] {
  return [
    {
      group: "start",
      metrics: [METRICS.listening],
      fresh: true,
      async measure({ launch }) {
        const running = await launch();
        await running.stop();
        return [running.listeningMs];
      },
    },
    memory(scale),
    ...BULKS.map(([way, count]) => bulk(way, count, scale)),
    {
      group: "short",
      metrics: [METRICS.short, METRICS.shortCpu],
      async measure({ load, destination, running }) {
        const { count, seconds, cpuSeconds } = await load.run({
          ...{ mode: "short", destination, connections: AT_ONCE },
          ...{ warmMs: scale.warmMs, measuredMs: scale.shortMs, pids: running?.pids() ?? [] },
        });
        return [count / seconds, running && (cpuSeconds / count) * 1e6];
      },
    },
    ...ASKING_AT_ONCE.map((count) => asking(count, scale)),
    {
      group: "keepalive",
      metrics: [METRICS.p50, METRICS.p99],
      async measure({ load, destination }) {
        const { p50Us, p99Us } = await load.run({
          ...{ mode: "keepalive", destination, ...QUESTIONS },
          ...{ warmMs: scale.warmMs, measuredMs: scale.keepaliveMs, pids: [] },
        });
        return [p50Us, p99Us];
      },
    },
  ];
}

function bulk(way: "down" | "up", connections: number, scale: Scale): Measure {
  return {
    group: "bulk",
    metrics: [METRICS.bulk(way, connections), METRICS.bulkCpu(way, connections)],
    async measure({ load, destination, running }) {
      const { count, seconds, cpuSeconds } = await load.run({
        ...{ mode: way, destination, connections, pids: running?.pids() ?? [] },
        ...{ warmMs: scale.warmMs, measuredMs: scale.bulkMs },
      });
      return [(count * 8) / seconds / 1e9, running && cpuSeconds / (count / 1e9)];
    },
  };
}

/** What the first thread spends, waking included, on one connection: its verdict and its record. */
function asking(connections: number, scale: Scale): Measure {
  return {
    group: "asking",
    metrics: [METRICS.asking(connections)],
    async measure({ load, destination, running, asksJavaScript }) {
      if (!asksJavaScript || !running) return [undefined];
      const { count, firstThreadSeconds } = await load.run({
        ...{ mode: "short", destination, connections, pids: running.pids() },
        ...{ warmMs: scale.warmMs, measuredMs: scale.shortMs },
      });
      return [(firstThreadSeconds / count) * 1e6];
    },
  };
}

/** Of what carries nothing there is no crowd to tell of. */
function alone({ rss, private: own }: Memory): (number | undefined)[] {
  const none = CROWDS.map(() => undefined);
  return [rss, ...none, own, ...none, undefined];
}

/** Idle, then with crowds whose connections have each carried a hello and an answer. */
function memory({ settleMs }: Scale): Measure {
  return {
    group: "memory",
    metrics: [
      ...[METRICS.rss, ...CROWDS.map(METRICS.rssWith)],
      ...[METRICS.private, ...CROWDS.map(METRICS.privateWith), METRICS.perConnection],
    ],
    fresh: true,
    async measure({ launch, load, destination, carriesNothing }) {
      const running = await launch();
      try {
        const settled = async () => {
          await sleep(settleMs);
          return running.memory();
        };
        const idle = await settled();
        if (carriesNothing) return alone(idle);
        const crowd = load.crowd(destination);
        try {
          const crowded = [];
          for (const count of CROWDS) {
            await crowd.hold(count);
            crowded.push(await settled());
          }
          const all = [idle, ...crowded];
          const grown = (all.at(-1)?.private ?? 0) - idle.private;
          return [
            ...all.map(({ rss }) => rss),
            ...all.map((each) => each.private),
            (grown * 1_024) / Math.max(...CROWDS),
          ];
        } finally {
          await crowd.leave();
        }
      } finally {
        await running.stop();
      }
    },
  };
}
