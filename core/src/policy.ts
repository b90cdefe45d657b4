import { Clauses } from "./clauses.ts";
import { externalNamesFor } from "./external-names.ts";
import type { LedOut } from "./leading-out.ts";
import type { Clause, Mode, PolicySnapshot } from "./snapshot.ts";
import type { Target } from "./target.ts";
import { Terrain } from "./terrain.ts";

export { parseResolver } from "./resolver.ts";

/** A snapshot made ready for decisions: the same content, indexed. */
export class Policy {
  readonly mode: Mode;
  readonly namespace: string;
  readonly rules: Clauses;
  readonly baseline: Clauses;
  readonly deny: Clauses;
  readonly ceilings: readonly { readonly boundary: string; readonly allow: Clauses }[];
  /** All that can permit something: baseline, rules, ceilings. */
  readonly permitting: readonly Clauses[];
  /** Names that have to be kept resolved: opaque bytes carry none. */
  readonly tcpNames: readonly string[];
  readonly terrain: Terrain;
  /** By name, what Services of type ExternalName stand for. */
  readonly externalNames: ReadonlyMap<string, string>;

  constructor(snapshot: PolicySnapshot) {
    this.mode = snapshot.mode;
    this.namespace = snapshot.namespace;
    this.rules = new Clauses(snapshot.rules);
    this.baseline = new Clauses(snapshot.baseline);
    this.deny = new Clauses(snapshot.deny);
    this.ceilings = snapshot.ceilings.map(({ boundary, allow }) => ({
      boundary,
      allow: new Clauses(allow),
    }));
    this.permitting = [this.baseline, this.rules, ...this.ceilings.map(({ allow }) => allow)];
    this.tcpNames = [
      ...new Set([this.deny, ...this.permitting].flatMap((list) => list.tcpNames())),
    ];
    this.terrain = new Terrain(snapshot);
    this.externalNames = externalNamesFor(snapshot.cluster, snapshot.namespace);
  }

  /** As if the namespace had this clause and no other, and the boundaries over it were enforced: what it would permit. */
  withOnly(clause: Clause): Policy {
    const rules = new Clauses([clause]);
    const permitting = this.permitting.map((list) => (list === this.rules ? rules : list));
    const other = { mode: "enforce", rules, permitting } satisfies Partial<Policy>;
    return Object.assign(Object.create(Policy.prototype), this, other);
  }

  /** Undefined where the text is no address. */
  target(text: string): Target | undefined {
    return this.terrain.target(text);
  }

  /** What a name stands for that is a Service of type ExternalName: a canonical name outside the cluster. */
  externalNameOf(name: string | undefined): string | undefined {
    return name === undefined ? undefined : this.externalNames.get(name);
  }

  /** Of the cluster's own: pods, Services, the API server, the resolvers. */
  isCluster(to: Target, port: number): boolean {
    return this.terrain.isCluster(to, port);
  }

  /** The Service that leads out of the cluster, where this is its cluster IP: it is judged by its endpoints. */
  leadsOut(to: Target, port: number): LedOut | undefined {
    return this.terrain.leadsOut(to, port);
  }
}
