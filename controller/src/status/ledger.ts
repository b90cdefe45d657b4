import type { ReportRow } from "@sallyport/core/delivery";
import type { Knowledge } from "../rules/knowledge.ts";
import { creditOf } from "./attribute.ts";
import { type Kind, nameOf } from "./key.ts";

export interface Counts {
  readonly allowed: number;
  readonly refused: number;
}
export const NOTHING: Counts = { allowed: 0, refused: 0 };

/** What sidecars have reported to this controller, by the uid of rules and boundaries that there are. */
export interface Ledger {
  /** Rows that speak of what is not their pod's are of no account. */
  add(namespace: string, rows: readonly ReportRow[]): void;
  of(uid: string): Counts;
  /** What is known has changed: names may mean others now, and what is gone is forgotten. */
  refresh(): void;
}

/** A sidecar says what it likes: what it can make a sum jump by is bounded, and so is the sum (int64, and a double's integers). */
const MOST_A_ROW = 1_000_000_000;

export function addCounts(one: Counts, other: Counts): Counts {
  return {
    allowed: Math.min(one.allowed + other.allowed, Number.MAX_SAFE_INTEGER),
    refused: Math.min(one.refused + other.refused, Number.MAX_SAFE_INTEGER),
  };
}

export function createLedger(
  knowledge: Pick<Knowledge, "rules" | "boundaries" | "boundariesOver">,
): Ledger {
  const counts = new Map<string, { allowed: number; refused: number }>();
  const uids: Record<Kind, Map<string, string>> = {
    EgressRule: new Map(),
    EgressBoundary: new Map(),
  };
  /** By namespace, the names of the boundaries over it. */
  const over = new Map<string, ReadonlySet<string>>();
  let fresh = false;

  const index = () => {
    fresh = true;
    over.clear();
    const living = new Set<string>();
    for (const [kind, list] of [
      ["EgressRule", knowledge.rules()],
      ["EgressBoundary", knowledge.boundaries()],
    ] as const) {
      uids[kind].clear();
      for (const known of list) {
        uids[kind].set(nameOf(known), known.uid);
        living.add(known.uid);
      }
    }
    for (const uid of counts.keys()) if (!living.has(uid)) counts.delete(uid);
  };
  const isOver = (namespace: string, boundary: string) => {
    let names = over.get(namespace);
    if (!names) {
      names = new Set((knowledge.boundariesOver(namespace) ?? []).map(({ name }) => name));
      over.set(namespace, names);
    }
    return names.has(boundary);
  };

  return {
    add: (namespace, rows) => {
      if (!fresh) index();
      for (const row of rows) {
        const credit = creditOf(row, namespace);
        const uid = credit && uids[credit.kind].get(credit.name);
        if (!credit || uid === undefined) continue;
        if (credit.kind === "EgressBoundary" && !isOver(namespace, credit.name)) continue;
        const before = counts.get(uid) ?? { allowed: 0, refused: 0 };
        before[credit.counter] = Math.min(
          before[credit.counter] + Math.min(row.count, MOST_A_ROW),
          Number.MAX_SAFE_INTEGER,
        );
        counts.set(uid, before);
      }
    },
    of: (uid) => counts.get(uid) ?? NOTHING,
    refresh: () => {
      fresh = false;
    },
  };
}
