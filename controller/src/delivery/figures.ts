import { family } from "../metrics.ts";
import { DROPS, type DropCode, REFUSALS, type RefusalCode } from "./refusals.ts";

/** Why a stream has ended. */
export const ENDS = {
  closed: "the sidecar has gone",
  malformed: "a line that is none of the contract's",
  no_schema: "the sidecar knows no snapshot schema that this controller can compile to",
  silent: "the sidecar has said nothing for too long",
  slow: "the sidecar does not take what it is sent",
  replaced: "the pod has opened another stream",
  gone: "the pod is no more, or has no sidecar",
  token: "the pod's token is accepted no more",
  leaving: "this controller is about to end",
} as const;
export type EndCode = keyof typeof ENDS;

/** What the delivery counts; the sets are closed, and so it does not grow with what is asked. */
export class Figures {
  readonly refused = new Map<RefusalCode | DropCode, number>();
  readonly ended = new Map<EndCode, number>();
  snapshotsSent = 0;
  current = 0;
  rejected = 0;
  sentBytes = 0;
  receivedBytes = 0;

  refuse(code: RefusalCode | DropCode): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  end(code: EndCode): void {
    this.ended.set(code, (this.ended.get(code) ?? 0) + 1);
  }
}

export interface DeliveryGauges {
  readonly streams: number;
  readonly strangers: number;
  readonly knowing: boolean;
  readonly reviews: Readonly<Record<string, number>>;
}

const PREFIX = "sallyport_policy";

/** For /metrics. */
export function deliveryMetrics(figures: Figures, now: DeliveryGauges): string[] {
  const one = (name: string, type: "gauge" | "counter", help: string, value: number) =>
    family(`${PREFIX}_${name}`, type, help, [` ${value}`]);
  const by = (name: string, label: string, help: string, counts: Iterable<[string, number]>) =>
    family(
      `${PREFIX}_${name}`,
      "counter",
      help,
      [...counts].map(([value, count]) => `{${label}="${value}"} ${count}`),
    );
  const refusals = [...(Object.keys(REFUSALS) as RefusalCode[]), ...DROPS];
  const ends = Object.keys(ENDS) as EndCode[];
  return [
    ...one("streams", "gauge", "Sidecars that are connected to this controller.", now.streams),
    ...one("strangers", "gauge", "Connections that have not shown whose they are.", now.strangers),
    ...one(
      "ready",
      "gauge",
      "1 while this controller knows the rules of every pod.",
      Number(now.knowing),
    ),
    ...by(
      "refused_total",
      "why",
      "Connections that were given no stream.",
      refusals.map((code) => [code, figures.refused.get(code) ?? 0]),
    ),
    ...by(
      "streams_ended_total",
      "why",
      "Streams that have ended.",
      ends.map((code) => [code, figures.ended.get(code) ?? 0]),
    ),
    ...one("snapshots_sent_total", "counter", "Snapshots sent.", figures.snapshotsSent),
    ...one(
      "current_total",
      "counter",
      "Sidecars that had already what they would have been sent.",
      figures.current,
    ),
    ...one(
      "rejected_total",
      "counter",
      "Snapshots that sidecars could not apply.",
      figures.rejected,
    ),
    ...one("sent_bytes_total", "counter", "Lines sent, in bytes.", figures.sentBytes),
    ...one(
      "received_bytes_total",
      "counter",
      "Bytes that sidecars have sent.",
      figures.receivedBytes,
    ),
    ...by(
      "token_reviews_total",
      "result",
      "Tokens that the API server was asked about.",
      Object.entries(now.reviews),
    ),
  ];
}
