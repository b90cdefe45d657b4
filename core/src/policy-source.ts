import * as z from "zod";
import { parseResolver } from "./resolver.ts";
import { EgressBoundary, EgressRule } from "./rules.ts";
import { Cluster, compile, type PolicySnapshot } from "./snapshot.ts";

/** Policy as a file holds it for one pod: the same objects that a cluster would, and what the controller would know. */
export const PolicySource = z
  .strictObject({
    /** Where no boundary says it: audit lets everything pass and records what would have been refused. */
    mode: z.enum(["audit", "enforce"]).default("audit"),
    pod: z
      .strictObject({
        namespace: z.string().min(1).default("default"),
        labels: z.record(z.string(), z.string()).default({}),
        namespaceLabels: z.record(z.string(), z.string()).default({}),
      })
      .prefault({}),
    rules: z.array(EgressRule).default([]),
    boundaries: z.array(EgressBoundary).default([]),
    cluster: Cluster.prefault({}),
    /** Who is asked for the names of rules, and nobody else: the pod's own resolver settings play no part. */
    resolvers: z
      .array(
        z.string().refine((text) => parseResolver(text) !== undefined, {
          error:
            "expected an address, or an address and a port: 10.96.0.10, 10.96.0.10:53, [fd00::a]:53",
        }),
      )
      .default([]),
  })
  .superRefine(({ rules, boundaries, resolvers }, context) => {
    if (resolvers.length > 0) return;
    const lists = [
      ...rules.map(({ spec }, i) => [["rules", i, "spec", "to"], spec.to] as const),
      ...boundaries.flatMap(({ spec }, i) =>
        (["allow", "deny", "baseline"] as const).map(
          (list) => [["boundaries", i, "spec", list], spec[list] ?? []] as const,
        ),
      ),
    ];
    for (const [path, list] of lists)
      for (const [entry, { hosts }] of list.entries())
        if (hosts)
          context.addIssue({
            code: "custom",
            path: [...path, entry, "hosts"],
            message:
              "names are resolved by the sidecar itself, and no resolver is given: add resolvers: [ADDRESS] beside the rules",
          });
  });
export type PolicySource = z.output<typeof PolicySource>;
export type PolicySourceInput = z.input<typeof PolicySource>;

export function snapshotOf({
  mode,
  pod,
  rules,
  boundaries,
  cluster,
  resolvers,
}: PolicySource): PolicySnapshot {
  return compile(rules, boundaries, pod, { mode, cluster, resolvers });
}
