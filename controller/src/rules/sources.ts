import {
  namespaceEntry,
  nodeEntry,
  podEntry,
  serviceEntry,
  serviceRangeEntry,
  sliceEntry,
} from "./entries.ts";
import type { Source } from "./follow.ts";
import { boundaryEntry, ruleEntry } from "./policy-object.ts";

const NO_CRDS =
  "this API server does not know the kind: install the CRDs (crds.install of the chart, or manifests/)";

const source = <T>(what: string, group: string, trim: Source<T>["trim"], missing?: string) => ({
  ...{ what, path: `/${group}/${what}`, trim },
  ...(missing !== undefined && { missing }),
});

/** Everything that policies are made of. ServiceCIDRs come with Kubernetes 1.33. */
export const SOURCES = {
  rules: source("egressrules", "apis/sallyport.dev/v1alpha1", ruleEntry, NO_CRDS),
  boundaries: source("egressboundaries", "apis/sallyport.dev/v1alpha1", boundaryEntry, NO_CRDS),
  namespaces: source("namespaces", "api/v1", namespaceEntry, "it is no Kubernetes"),
  pods: source("pods", "api/v1", podEntry, "it is no Kubernetes"),
  services: source("services", "api/v1", serviceEntry, "it is no Kubernetes"),
  nodes: source("nodes", "api/v1", nodeEntry, "it is no Kubernetes"),
  slices: source("endpointslices", "apis/discovery.k8s.io/v1", sliceEntry, "it is no Kubernetes"),
  serviceRanges: source("servicecidrs", "apis/networking.k8s.io/v1", serviceRangeEntry),
} as const;
