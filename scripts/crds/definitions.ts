import { API_VERSION, EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import type * as z from "zod";
import type { Notes } from "./notes.ts";
import { destinations } from "./notes-destination.ts";
import { selector } from "./notes-selector.ts";
import { status } from "./notes-status.ts";
import { structural } from "./structural.ts";

const [GROUP = "", VERSION = ""] = API_VERSION.split("/");

interface Kind {
  readonly kind: "EgressRule" | "EgressBoundary";
  readonly plural: string;
  readonly shortName: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly says: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly notes: Notes;
  readonly columns: readonly Column[];
}

/** As `kubectl get` prints it; `wide`: with -o wide alone. Of several values a path prints the first. */
interface Column {
  readonly name: string;
  readonly type?: "integer" | "date";
  readonly path: string;
  readonly says: string;
  readonly wide?: true;
}

const COUNTS: readonly Column[] = [
  {
    ...{ name: "Pods", type: "integer", path: ".status.matchedPods" },
    says: "Injected pods that it is for",
  },
  {
    ...{ name: "Applied", type: "integer", path: ".status.appliedPods" },
    says: "Of those, the ones that have applied it as it is now",
  },
  {
    ...{ name: "Refused", type: "integer", path: ".status.refused" },
    says: "What was refused where it came closest, or by it",
  },
];
const STATE: readonly Column[] = [
  {
    ...{ name: "Ready", path: '.status.conditions[?(@.type=="Ready")].status' },
    says: "Whether every pod that it is for has applied it",
  },
  { name: "Age", type: "date", path: ".metadata.creationTimestamp", says: "Since it was created" },
  {
    ...{ name: "Reason", path: '.status.conditions[?(@.type=="Ready")].message', wide: true },
    says: "Why it is ready or not",
  },
];

const KINDS: readonly Kind[] = [
  {
    ...{ kind: "EgressRule", plural: "egressrules", shortName: "er", scope: "Namespaced" },
    says: "Permits connections of its own namespace's injected pods. A connection is permitted if one entry of one rule permits it, and every boundary's ceiling does too.",
    spec: EgressRule.shape.spec,
    status: EgressRuleStatus,
    notes: {
      spec: { says: "Which pods may connect, and where to." },
      ...selector("spec.selector", {
        what: "pods of the rule's namespace",
        absent: "every injected pod of the namespace",
      }),
      ...destinations(
        "spec.to",
        "Where they may connect: entries, of which one has to permit a connection. Each has hosts, cidrs or both, and ports.",
      ),
      ...status(
        "Connections and requests that it permitted.",
        "Connections and requests that no rule permitted, and of all rules this one came closest.",
      ),
    },
    columns: [
      { name: "Hosts", path: ".spec.to[*].hosts", says: "Of the first entry that has any" },
      { name: "Ports", path: ".spec.to[*].ports[*].port", says: "The first one" },
      ...COUNTS,
      ...STATE,
      { name: "To", path: ".spec.to", says: "All that it permits", wide: true },
    ],
  },
  {
    ...{ kind: "EgressBoundary", plural: "egressboundaries", shortName: "eb", scope: "Cluster" },
    says: "Limits what rules can permit in the namespaces that it is for, denies, permits without a rule, and says whether refusals are enforced or only recorded. Several boundaries over one namespace: denies and baselines unite, ceilings intersect, enforce beats audit, required beats optional.",
    spec: EgressBoundary.shape.spec,
    status: EgressBoundaryStatus,
    notes: {
      spec: { says: "Which namespaces, and what holds there." },
      ...selector("spec.namespaceSelector", {
        what: "namespaces",
        absent: "every namespace",
      }),
      "spec.mode": {
        says: "enforce: what is not permitted is refused. audit: nothing is refused; what would be is recorded.",
      },
      "spec.injection": {
        says: "required: no workload of these namespaces runs without the sidecar. optional: the boundary binds injected pods only.",
      },
      ...destinations(
        "spec.allow",
        "A ceiling: a rule counts only where an entry here permits the same. Absent: none. Empty: no rule counts.",
      ),
      ...destinations(
        "spec.deny",
        "Refused whatever else permits it. A host is denied at any address and whatever is spoken; a CIDR holds special ranges as any other, and is asked of the address that the app dialled and of the one that would be.",
      ),
      ...destinations("spec.baseline", "Permitted without a rule, and under any ceiling."),
      "spec.workloadOverrides": {
        says: "Which of the annotations that lead around the sidecar workloads may use. Absent: all. Empty: none.",
        most: 8,
      },
      ...status(
        "Connections and requests that its baseline permitted.",
        "Connections and requests that its deny list or its ceiling refused.",
      ),
      "status.matchedNamespaces": { says: "How many namespaces it is for." },
    },
    columns: [
      { name: "Mode", path: ".spec.mode", says: "enforce or audit" },
      { name: "Injection", path: ".spec.injection", says: "optional or required" },
      {
        ...{ name: "Namespaces", type: "integer", path: ".status.matchedNamespaces" },
        says: "Namespaces that it is for",
      },
      ...COUNTS,
      ...STATE,
    ],
  },
];

/** The two CustomResourceDefinitions, without what a chart adds. */
export function definitions(): readonly object[] {
  return KINDS.map(definitionOf);
}

function definitionOf({ kind, plural, shortName, scope, says, columns, ...shape }: Kind): object {
  const { spec, status } = structural({ spec: shape.spec, status: shape.status }, shape.notes);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${GROUP}`,
      annotations: { "helm.sh/resource-policy": "keep" },
    },
    spec: {
      group: GROUP,
      scope,
      names: {
        ...{ kind, plural, listKind: `${kind}List`, singular: kind.toLowerCase() },
        ...{ shortNames: [shortName], categories: ["sallyport"] },
      },
      versions: [
        {
          ...{ name: VERSION, served: true, storage: true },
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(({ name, type, path, says, wide }) => ({
            ...{ name, type: type ?? "string", jsonPath: path, description: says },
            ...(wide && { priority: 1 }),
          })),
          schema: {
            openAPIV3Schema: {
              ...{ description: says, type: "object", required: ["spec"] },
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                ...{ spec, status },
              },
            },
          },
        },
      ],
    },
  };
}
