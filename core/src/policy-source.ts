import * as z from "zod";
import { EVEN_IF_MALFORMED, field, itemsOf } from "./form.ts";
import { EgressBoundary, EgressRule } from "./rules.ts";
import { Cluster, compile, type PolicySnapshot, ResolverText } from "./snapshot.ts";

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
    resolvers: z.array(ResolverText).default([]),
  })
  .superRefine(({ rules, boundaries, resolvers }, context) => {
    if (!Array.isArray(resolvers) || resolvers.length > 0) return;
    const lists = [
      ...itemsOf(rules).map((rule, i) => listOf(rule, ["rules", i, "spec", "to"])),
      ...itemsOf(boundaries).flatMap((boundary, i) =>
        ["allow", "deny", "baseline"].map((list) =>
          listOf(boundary, ["boundaries", i, "spec", list]),
        ),
      ),
    ];
    for (const { path, list } of lists)
      for (const [entry, destination] of list.entries())
        if (field(destination, "hosts") !== undefined)
          context.addIssue({
            code: "custom",
            path: [...path, entry, "hosts"],
            message:
              "names are resolved by the sidecar itself, and no resolver is given: add resolvers: [ADDRESS] beside the rules",
          });
  }, EVEN_IF_MALFORMED);
export type PolicySource = z.output<typeof PolicySource>;
export type PolicySourceInput = z.input<typeof PolicySource>;

/** The list at a path of four, whose first two lead to the object. */
function listOf(object: unknown, path: readonly [string, number, string, string]) {
  return { path, list: itemsOf(field(field(object, path[2]), path[3])) };
}

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
