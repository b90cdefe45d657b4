import * as z from "zod";

/** What the controllers write back on rules and boundaries, for `kubectl get`. */

/** KEP-1623, as every Kubernetes API has them. */
export const Condition = z.strictObject({
  type: z.string().max(316),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string().max(1_024),
  message: z.string().max(32_768),
  lastTransitionTime: z.iso.datetime(),
  observedGeneration: z.int().min(0).optional(),
});
export type Condition = z.output<typeof Condition>;

const Count = z.int().min(0);

/** One controller's share: the sidecars that are connected to it. It alone writes it (server-side apply). */
export const ReplicaShare = z.strictObject({
  /** The controller's identity, its pod's name. */
  name: z.string().max(253),
  appliedPods: Count,
  allowed: Count,
  refused: Count,
  /** Connected to it, and not there yet: they have an older policy, or cannot use this one. */
  behindPods: Count.optional(),
  /** A few of them, of a rule: `web-1`, `web-1 (cannot use it: …)`. A boundary tells no namespace of another's pods. */
  behind: z.array(z.string().max(512)).max(3).optional(),
});
export type ReplicaShare = z.output<typeof ReplicaShare>;

const common = {
  observedGeneration: z.int().min(0).optional(),
  /** Injected pods that it is for. */
  matchedPods: Count.optional(),
  /** Of those, the ones whose sidecars have applied it as it is now. */
  appliedPods: Count.optional(),
  /** Connections and requests that it permitted; of a boundary, that its baseline did. */
  allowed: Count.optional(),
  /** Of a rule: refused, and this rule came closest. Of a boundary: refused by its deny list or its ceiling. */
  refused: Count.optional(),
  conditions: z.array(Condition).optional(),
  replicas: z.array(ReplicaShare).optional(),
  /** What replicas that are gone had counted. */
  past: z.strictObject({ allowed: Count, refused: Count }).optional(),
};

/** `Ready`: every matched pod has applied it. `Accepted`: it can be used at all, and no ceiling takes all of it away. */
export const EgressRuleStatus = z.strictObject(common);
export type EgressRuleStatus = z.output<typeof EgressRuleStatus>;

export const EgressBoundaryStatus = z.strictObject({
  ...common,
  matchedNamespaces: Count.optional(),
});
export type EgressBoundaryStatus = z.output<typeof EgressBoundaryStatus>;
