import { formatOwner } from "@sallyport/controller/assessment/owner";
import { countsOf, NONE, rowsOf, sumOf } from "./destination-rows.ts";
import type { PodRow, Workload, WorkloadDetails } from "./fleet.ts";
import type { Heard } from "./heard.ts";
import type { KnownPod } from "./inventory.ts";
import { hostOf } from "./pod-hosts.ts";

const MOST_DESTINATIONS = 200;
const MOST_TROUBLES = 5;

/** Of a pod, what its sidecar has told last. */
export type HeardOf = (pod: KnownPod) => Heard | undefined;

/** The pods that have a sidecar or should have one, by the workloads that people know. */
export function byWorkload(pods: readonly KnownPod[]): Map<string, readonly KnownPod[]> {
  const groups = new Map<string, KnownPod[]>();
  for (const pod of pods) {
    if (!pod.sidecar) continue;
    const id = idOf(pod);
    const group = groups.get(id);
    if (group) group.push(pod);
    else groups.set(id, [pod]);
  }
  return groups;
}

export function idOf({ namespace, owner }: KnownPod): string {
  return `${namespace}/${formatOwner(owner)}`;
}

export function workloadOf(id: string, pods: readonly KnownPod[], heardOf: HeardOf): Workload {
  const [{ namespace = "", owner = { kind: "", name: "" } } = {}] = pods;
  const heard = pods.map(heardOf);
  const rows = pods.map((pod, i) => podRow(pod, heard[i]));
  return {
    ...{ id, namespace, kind: owner.kind, name: owner.name, pods: pods.length },
    heard: heard.filter((each) => each?.overview && each.problem === undefined).length,
    counts: sumOf(rows.map(({ counts }) => counts)),
    audit: heard.some((each) => each?.overview?.policy.mode === "audit"),
    troubles: troublesOf(rows),
  };
}

export function detailsOf(
  id: string,
  pods: readonly KnownPod[],
  heardOf: HeardOf,
): WorkloadDetails {
  const rows = rowsOf(pods.map((pod) => heardOf(pod)?.destinations ?? []));
  return {
    ...workloadOf(id, pods, heardOf),
    podRows: pods.map((pod) => podRow(pod, heardOf(pod))),
    destinations: rows.slice(0, MOST_DESTINATIONS),
    moreDestinations: Math.max(0, rows.length - MOST_DESTINATIONS),
  };
}

function podRow(pod: KnownPod, heard: Heard | undefined): PodRow {
  const { name, namespace, sidecar } = pod;
  if (sidecar !== "runs")
    return { name, ...(sidecar && { silent: sidecar.silent }), stale: [], counts: NONE };
  const { overview, problem, destinations = [] } = heard ?? {};
  return {
    name,
    host: hostOf(namespace, name),
    ...(problem !== undefined && { silent: problem }),
    stale: staleness(overview),
    ...(overview && {
      mode: overview.policy.mode,
      policy: overview.policy.revision?.slice(0, 12) ?? String(overview.policy.version),
      open: overview.connections.open,
    }),
    counts: countsOf(destinations),
  };
}

/** In what a sidecar that answers is not up to date. */
function staleness(overview: Heard["overview"]): string[] {
  const { policy, control, not_ready } = overview ?? {};
  return [
    ...(not_ready === undefined ? [] : [`not ready: ${not_ready}`]),
    ...(policy?.problem === undefined ? [] : [`cannot use its newest policy: ${policy.problem}`]),
    ...(control && !control.connected
      ? [
          `without a controller${control.since ? ` since ${control.since}` : ""}${control.problem ? `: ${control.problem}` : ""}`,
        ]
      : []),
  ];
}

/** Of many pods with the same trouble, how many and one of them. */
function troublesOf(rows: readonly PodRow[]): string[] {
  const pods = new Map<string, string[]>();
  for (const { name, silent, stale } of rows)
    for (const trouble of [...(silent === undefined ? [] : [silent]), ...stale]) {
      const general = trouble.replaceAll(name, "POD");
      pods.set(general, [...(pods.get(general) ?? []), name]);
    }
  const told = [...pods].map(([trouble, names]) => {
    const [first = ""] = names;
    const who = names.length === 1 ? first : `${names.length} pods (${first} is one)`;
    return `${who}: ${trouble.replaceAll("POD", first)}`;
  });
  const more = told.length - MOST_TROUBLES;
  return [
    ...told.slice(0, MOST_TROUBLES),
    ...(more > 0 ? [`and ${more} more kinds of trouble`] : []),
  ];
}
