import { Policy } from "@sallyport/core/policy";
import { type PolicySource, snapshotOf } from "@sallyport/core/policy-source";

import type { PolicySnapshot } from "@sallyport/core/snapshot";

/** The policy in force. What cannot be used changes nothing and is remembered, so that it can be reported. */
export class PolicyHolder {
  #policy: Policy;
  #snapshot: PolicySnapshot;
  #source: PolicySource;
  #appliedMs: number;
  #version = 1;
  #rejected = 0;
  #problem: string | undefined;

  constructor(source: PolicySource, nowMs: number) {
    this.#source = source;
    this.#snapshot = snapshotOf(source);
    this.#policy = new Policy(this.#snapshot);
    this.#appliedMs = nowMs;
  }

  get policy(): Policy {
    return this.#policy;
  }
  get snapshot(): PolicySnapshot {
    return this.#snapshot;
  }
  get source(): PolicySource {
    return this.#source;
  }
  /** Counts up from 1 with each policy applied. */
  get version(): number {
    return this.#version;
  }
  get appliedMs(): number {
    return this.#appliedMs;
  }
  get rejected(): number {
    return this.#rejected;
  }
  /** Why the newest source is not in force; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** True if it differs from the one in force. New connections are judged by it at once. */
  apply(source: PolicySource, nowMs: number): boolean {
    this.#problem = undefined;
    if (JSON.stringify(source) === JSON.stringify(this.#source)) return false;
    this.#snapshot = snapshotOf(source);
    this.#policy = new Policy(this.#snapshot);
    this.#source = source;
    this.#appliedMs = nowMs;
    this.#version += 1;
    return true;
  }

  reject(problem: string): void {
    this.#problem = problem;
    this.#rejected += 1;
  }
}
