import { rowsOf } from "./destination-rows.ts";
import type { DestinationRow, Fleet, FleetRefusal } from "./fleet.ts";
import type { Inventory } from "./inventory.ts";
import { ruleRows } from "./rule-rows.ts";
import { byWorkload, type HeardOf, workloadOf } from "./workload-rows.ts";

const MOST_REFUSALS = 50;
const MOST_NAMED = 4;

/** The fleet in rows: pure, of what the API server and the sidecars have told last. */
export function summaryOf(
  { pods, rules, boundaries }: Inventory,
  heardOf: HeardOf,
): Pick<Fleet, "workloads" | "refusals" | "moreRefusals" | "rules" | "boundaries"> {
  const groups = byWorkload(pods);
  const workloads = [...groups]
    .map(([id, members]) => workloadOf(id, members, heardOf))
    .sort(
      (a, b) =>
        b.counts.refused - a.counts.refused ||
        b.counts.would_be_refused - a.counts.would_be_refused ||
        Number(b.troubles.length > 0) - Number(a.troubles.length > 0) ||
        (a.id < b.id ? -1 : 1),
    );
  const refusals = refusalsOf(
    [...groups].map(([id, members]) => ({
      id,
      rows: rowsOf(members.map((pod) => heardOf(pod)?.destinations ?? [])),
    })),
  );
  return {
    workloads,
    refusals: refusals.slice(0, MOST_REFUSALS),
    moreRefusals: Math.max(0, refusals.length - MOST_REFUSALS),
    rules: ruleRows(rules, "EgressRule"),
    boundaries: ruleRows(boundaries, "EgressBoundary"),
  };
}

/** What is refused, or would be, by destination and reason: who is concerned, and how often. */
function refusalsOf(
  told: readonly { readonly id: string; readonly rows: readonly DestinationRow[] }[],
): FleetRefusal[] {
  const all = new Map<string, { row: DestinationRow; ids: string[] }>();
  for (const { id, rows } of told)
    for (const row of rows) {
      if (row.outcome !== "refused" && row.outcome !== "would_be_refused") continue;
      const key = [row.place, row.port, row.outcome, row.reason].join("\0");
      const before = all.get(key);
      all.set(key, {
        row: before ? added(before.row, row) : row,
        ids: [...new Set([...(before?.ids ?? []), id])],
      });
    }
  return [...all.values()]
    .map(({ row, ids }) => ({
      ...row,
      workloads: ids.slice(0, MOST_NAMED),
      moreWorkloads: Math.max(0, ids.length - MOST_NAMED),
    }))
    .sort(
      (a, b) =>
        Number(a.outcome !== "refused") - Number(b.outcome !== "refused") ||
        b.count - a.count ||
        (a.place < b.place ? -1 : 1),
    );
}

function added(a: DestinationRow, b: DestinationRow): DestinationRow {
  const last = [a.last, b.last]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return {
    ...a,
    count: a.count + b.count,
    pods: a.pods + b.pods,
    ...(last !== undefined && { last }),
  };
}
