import { atLeast, type Figures, type Judged, limit } from "../data-path/goals.ts";
import { median, type Outcomes } from "../data-path/results.ts";
import { ALL_KEPT, METRICS, TLS_KEPT } from "./measures.ts";

const PEER = "nginx";
const CPU_US = 30;
const LARGE = (["down", "up"] as const).map((way) => METRICS.large("plain", way));

/** In the order of the goals, each by its worst metric; one whose figures are missing is left out. */
export function judge(outcomes: Outcomes): readonly Judged[] {
  const of: Figures = (metric, contender) => median(outcomes, metric, contender);
  const kept = (mode: "get" | "post") =>
    ALL_KEPT.filter(([each]) => each === mode).map(([, at]) => METRICS.kept("plain", mode, at));
  const tls = TLS_KEPT.map(([mode, at]) => METRICS.kept("tls", mode, at));
  return [
    atLeast("keep-alive GET ≥ 0.85 × nginx", 0.85, kept("get"), PEER, of),
    atLeast("keep-alive POST ≥ 0.85 × nginx", 0.85, kept("post"), PEER, of),
    atLeast("TLS keep-alive ≥ 0.7 × nginx", 0.7, tls, PEER, of),
    atLeast("Connection: close ≥ 0.75 × nginx", 0.75, [METRICS.closed("plain")], PEER, of),
    ...[PEER, "nginx-64k"].map((peer) => atLeast(`1 MiB bodies ≥ ${peer}`, 1, LARGE, peer, of)),
    cpu(of),
  ].filter((judged) => judged !== undefined);
}

/** Of a busy contender: one that waits for a single connection pays for falling asleep and waking, twice a request. */
function cpu(of: Figures): Judged | undefined {
  return ALL_KEPT.filter(([, at]) => at > 1)
    .map(([mode, at]) =>
      limit(`CPU a request ≤ ${CPU_US} µs`, METRICS.keptCpu("plain", mode, at), CPU_US, of),
    )
    .filter((judged) => judged !== undefined)
    .sort((a, b) => b.ours - a.ours)[0];
}
