import type { EgressBoundary } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";
import { INJECTION_LABEL, NEVER_COVERED } from "../admission/names.ts";
import type { Knowledge } from "../rules/knowledge.ts";

/** For whom a boundary is. Numbers alone: who reads a boundary learns of no namespace by it. */
export interface Over {
  readonly namespaces: number;
  readonly pods: number;
  /** Of the namespaces, those without the label by which the webhook is called. */
  readonly unlabelled: number;
  /** Others that are over some of the same namespaces, and over how many. */
  readonly others: readonly { readonly boundary: EgressBoundary; readonly namespaces: number }[];
}

export interface Matching {
  /** By uid of the rule; absent where nothing of it counts. */
  readonly rules: ReadonlyMap<string, number>;
  /** By uid of the boundary. */
  readonly boundaries: ReadonlyMap<string, Over>;
}

type Source = Pick<Knowledge, "rules" | "boundaries" | "pods" | "namespaces" | "namespaceLabels">;

/** `excluded`: namespaces that the webhooks never cover. */
export function match(knowledge: Source, excluded: readonly string[] = []): Matching {
  const groups = groupPods(knowledge);
  const podsIn = (namespace: string) => [...(groups.get(namespace)?.values() ?? [])];
  const rules = new Map<string, number>();
  for (const { uid, namespace, object } of knowledge.rules()) {
    if (!object || namespace === undefined) continue;
    const matched = podsIn(namespace).filter(({ labels }) => selects(object.spec.selector, labels));
    rules.set(uid, sum(matched.map(({ pods }) => pods)));
  }
  return {
    rules,
    boundaries: matchBoundaries(
      knowledge,
      (namespace) => sum(podsIn(namespace).map(({ pods }) => pods)),
      [...NEVER_COVERED, ...excluded],
    ),
  };
}

interface Group {
  readonly labels: Labels;
  pods: number;
}

/** Pods of a namespace with the same labels are asked about once. */
function groupPods(knowledge: Source): Map<string, Map<string, Group>> {
  const namespaces = new Map<string, Map<string, Group>>();
  for (const { namespace, labels } of knowledge.pods()) {
    let groups = namespaces.get(namespace);
    if (!groups) {
      groups = new Map();
      namespaces.set(namespace, groups);
    }
    const key = JSON.stringify(Object.entries(labels).sort());
    const group = groups.get(key);
    if (group) group.pods++;
    else groups.set(key, { labels, pods: 1 });
  }
  return namespaces;
}

function matchBoundaries(
  knowledge: Source,
  podsIn: (namespace: string) => number,
  notCovered: readonly string[],
): Map<string, Over> {
  const boundaries = [...knowledge.boundaries()].flatMap(({ uid, object }) =>
    object ? [{ uid, object }] : [],
  );
  const found = new Map(
    boundaries.map(({ uid }) => [
      uid,
      { namespaces: 0, pods: 0, unlabelled: 0, together: new Map<string, number>() },
    ]),
  );
  for (const namespace of knowledge.namespaces()) {
    const labels = knowledge.namespaceLabels(namespace) ?? {};
    const isUnlabelled =
      !["enabled", "all"].includes(labels[INJECTION_LABEL] ?? "") &&
      !notCovered.includes(namespace);
    const over = boundaries.filter(({ object }) => selects(object.spec.namespaceSelector, labels));
    for (const { uid } of over) {
      const one = found.get(uid);
      if (!one) continue;
      one.namespaces++;
      one.pods += podsIn(namespace);
      one.unlabelled += Number(isUnlabelled);
      for (const other of over)
        if (other.uid !== uid) one.together.set(other.uid, (one.together.get(other.uid) ?? 0) + 1);
    }
  }
  const byUid = new Map(boundaries.map(({ uid, object }) => [uid, object]));
  return new Map(
    [...found].map(([uid, { together, ...numbers }]) => [
      uid,
      {
        ...numbers,
        others: [...together].flatMap(([other, namespaces]) => {
          const boundary = byUid.get(other);
          return boundary ? [{ boundary, namespaces }] : [];
        }),
      },
    ]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
