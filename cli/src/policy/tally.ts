import { meantBy } from "@sallyport/core/replay";
import { type Amount, nothing, total } from "./amount.ts";
import type { RecordLine } from "./record-lines.ts";
import type { Replayed } from "./replay.ts";

/** Records that go the same way: to the same destination, in the same language, with the same change. */
export interface Group {
  readonly namespace: string;
  /** `shop/deployment/web`, where it is known. */
  readonly workload: string | undefined;
  /** `name:port`, or `address:port` where there was no name. */
  readonly destination: string;
  readonly protocol: string | undefined;
  /** As recorded. */
  readonly was: string;
  readonly replayed: Replayed;
  readonly amount: Amount;
  firstSeen: string;
  lastSeen: string;
  /** Of the name, as far as they fit. */
  readonly addresses: Set<string>;
}

export type Change = Replayed["change"];

/** Whose connections, or requests, they were. */
export interface Whose {
  readonly namespace: string;
  readonly workload?: string | undefined;
  readonly times?: number;
}

/** What is kept of each change; records beyond are counted, not told apart. */
const MAX_GROUPS = 10_000;
const MAX_ADDRESSES = 64;

/** Records summed up, in bounded memory however many there are. */
export class Tally {
  readonly judged = amounts();
  /** Those that pass only because a boundary says audit. */
  readonly audited = nothing();
  /** Of what is told apart, those that did not fit. */
  readonly beyond = amounts();
  readonly #groups: Record<Change, Map<string, Group>> = {
    refused: new Map(),
    allowed: new Map(),
    unknown: new Map(),
    same: new Map(),
  };
  readonly #maxGroups: number;

  constructor(maxGroups = MAX_GROUPS) {
    this.#maxGroups = maxGroups;
  }

  /** `times`: how many such there were. */
  add(record: RecordLine, replayed: Replayed, { namespace, workload, times = 1 }: Whose): void {
    const { change, verdict, isAudited } = replayed;
    add(this.judged[change], record, times);
    if (isAudited) add(this.audited, record, times);
    if (change === "same") return;
    const destination = destinationOf(record);
    const { protocol, reason: was, time } = record;
    const key = [workload ?? namespace, destination, protocol, was, verdict.reason].join("\n");
    const groups = this.#groups[change];
    let group = groups.get(key);
    if (!group) {
      if (groups.size >= this.#maxGroups) {
        add(this.beyond[change], record, times);
        return;
      }
      const seen = { firstSeen: time, lastSeen: time };
      group = {
        namespace,
        workload,
        destination,
        protocol,
        was,
        replayed,
        amount: nothing(),
        ...seen,
        addresses: new Set(),
      };
      groups.set(key, group);
    }
    add(group.amount, record, times);
    // RFC 3339 in UTC: the order of the texts is that of the times.
    if (time < group.firstSeen) group.firstSeen = time;
    if (time > group.lastSeen) group.lastSeen = time;
    for (const address of replayed.named?.addresses ?? [])
      if (group.addresses.size < MAX_ADDRESSES) group.addresses.add(address);
  }

  /** The most frequent first. */
  groups(change: Exclude<Change, "same">): Group[] {
    return [...this.#groups[change].values()].sort(
      (a, b) => total(b.amount) - total(a.amount) || (a.destination < b.destination ? -1 : 1),
    );
  }
}

function amounts(): Readonly<Record<Change, Amount>> {
  return { refused: nothing(), allowed: nothing(), unknown: nothing(), same: nothing() };
}

function add(amount: Amount, { request }: RecordLine, times: number): void {
  if (request === undefined) amount.connections += times;
  else amount.requests += times;
}

function destinationOf(record: RecordLine): string {
  const { invalid_name, original_address, original_port } = record;
  const name = meantBy(record);
  if (name !== undefined) return `${name}:${original_port}`;
  const address = original_address.includes(":") ? `[${original_address}]` : original_address;
  return `${address}:${original_port}${invalid_name === undefined ? "" : ` "${invalid_name}"`}`;
}
