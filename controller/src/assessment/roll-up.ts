import type { Assessment } from "./assessment.ts";
import type { Owner } from "./owner.ts";

/** The pods of one owner that are assessed alike. */
export interface Group {
  readonly owner: Owner;
  readonly assessment: Assessment;
  readonly pods: number;
  /** The name of one of them. */
  readonly example: string;
}

/** Adds up pods by who makes them and what they are, so that a thousand replicas are one line. */
export class RollUp {
  readonly #groups = new Map<string, Group>();

  add(group: Group): void {
    const key = keyOf(group);
    const before = this.#groups.get(key);
    this.#groups.set(key, before ? { ...before, pods: before.pods + group.pods } : group);
  }

  /** In the order of namespace, kind and name. */
  groups(): Group[] {
    return [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  }
}

function keyOf({ owner, assessment }: Group): string {
  const reason = "reason" in assessment ? assessment.reason : "";
  return [owner.namespace, owner.kind, owner.name, assessment.state, reason].join("\0");
}
