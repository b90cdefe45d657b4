import type { Basis } from "@sallyport/core/delivery";
import { Policy } from "@sallyport/core/policy";
import { type PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import { type PolicySnapshot, SNAPSHOT_SCHEMA } from "@sallyport/core/snapshot";

/** A policy, and who has given it. */
export interface Given {
  readonly snapshot: PolicySnapshot;
  /** `kept`: the controllers, before this sidecar's last start. */
  readonly from: "configuration" | "controllers" | "kept";
  /** As it was written, of one from a configuration. */
  readonly source?: PolicySource;
  /** Of one that the controllers have given. */
  readonly revision?: string;
  readonly basis?: Basis;
}

export function givenBy(source: PolicySource): Given {
  return { snapshot: snapshotOf(source), from: "configuration", source };
}

/** Before the first policy: nothing is permitted, not even into the cluster, for what a boundary denies is not known. */
const NOTHING: PolicySnapshot = {
  schema: SNAPSHOT_SCHEMA,
  mode: "enforce",
  namespace: "",
  rules: [],
  baseline: [],
  deny: [],
  ceilings: [],
  cluster: {
    ...{ ranges: [], nodes: [], endpoints: [], externalNames: [], leadingOut: [] },
    domain: "cluster.local",
  },
  resolvers: [],
};

/** The policy in force. What cannot be used changes nothing and is remembered, so that it can be reported. */
export class PolicyHolder {
  #policy = new Policy(NOTHING);
  #given: Given | undefined;
  #appliedMs: number;
  #version = 0;
  #rejected = 0;
  #problem: string | undefined;

  /** `given`: the first, since `appliedMs`; without one nothing is permitted until it has come. */
  constructor(given: Given | undefined, appliedMs: number) {
    this.#appliedMs = appliedMs;
    if (given) this.apply(given, appliedMs);
  }

  get policy(): Policy {
    return this.#policy;
  }
  get snapshot(): PolicySnapshot {
    return this.#given?.snapshot ?? NOTHING;
  }
  /** Undefined before the first. */
  get given(): Given | undefined {
    return this.#given;
  }
  /** Counts up from 1 with each policy applied; 0 before the first. */
  get version(): number {
    return this.#version;
  }
  /** Of the one in force; before the first, since when there is none. */
  get appliedMs(): number {
    return this.#appliedMs;
  }
  get rejected(): number {
    return this.#rejected;
  }
  /** Why the newest one is not in force; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** True if it differs from the one in force. New connections are judged by it at once. */
  apply(given: Given, nowMs: number): boolean {
    const before = this.#given;
    if (before && isSame(given, before)) {
      // The same content, from somebody else or made from newer objects.
      this.#given = { ...given, snapshot: before.snapshot };
      this.#problem = undefined;
      return false;
    }
    this.#policy = new Policy(given.snapshot);
    this.#given = given;
    this.#problem = undefined;
    this.#appliedMs = nowMs;
    this.#version += 1;
    return true;
  }

  reject(problem: string): void {
    this.#problem = problem;
    this.#rejected += 1;
  }
}

function isSame(a: Given, b: Given): boolean {
  if (a.revision !== undefined && b.revision !== undefined) return a.revision === b.revision;
  return JSON.stringify(a.snapshot) === JSON.stringify(b.snapshot);
}
