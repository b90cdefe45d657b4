import { createHash } from "node:crypto";
import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { compile, type Installation, type PodIdentity } from "@sallyport/core/snapshot";
import type { ClusterFacts } from "./cluster-facts.ts";
import type { KnownBoundary, KnownRule } from "./knowledge.ts";
import type { Origin } from "./snapshots.ts";

/** A snapshot but for the cluster, which is the same in every one. */
export interface Part {
  readonly text: string;
  readonly digest: string;
}

/** A whole snapshot, as many pods may have it. */
export interface Content {
  readonly revision: string;
  readonly json: string;
  readonly origins: readonly Origin[];
}

/** The policy of pods of one namespace for whom the same rules are. */
export interface Composition {
  readonly own: Part | undefined;
  /** Why there is none. */
  readonly why?: string;
  /** Then: what one gets that has nothing. */
  readonly closed?: Part;
  readonly origins: readonly Origin[];
}

/** What a boundary counts as where nothing of it can be used: better nothing than what it may have meant to keep out. */
const CLOSED: EgressBoundary["spec"] = { mode: "enforce", injection: "optional", allow: [] };

/** `rules` are those for the pod, `over` the boundaries over its namespace. One of no use counts as absent. */
export function compose(
  rules: readonly KnownRule[],
  over: readonly KnownBoundary[],
  pod: PodIdentity,
  mode: Installation["mode"],
): Composition {
  const usable = rules.flatMap(({ object }) => (object ? [object] : []));
  const unusable = over.filter(({ object }) => object === undefined);
  const part = (boundaries: readonly EgressBoundary[]) => partOf(usable, boundaries, pod, mode);
  const origins = [...rules, ...over].filter(({ object }) => object !== undefined).map(originOf);
  const boundaries = over.map(({ object, name }) => object ?? closedBoundary(name));
  if (unusable.length === 0) return { own: part(boundaries), origins };
  const why = unusable
    .map(({ name, problem }) => `boundary ${name} cannot be used (${problem})`)
    .join("; ");
  return { own: undefined, why, closed: part(boundaries), origins };
}

function partOf(
  rules: readonly EgressRule[],
  boundaries: readonly EgressBoundary[],
  pod: PodIdentity,
  mode: Installation["mode"],
): Part {
  const {
    cluster: _,
    resolvers: __,
    ...own
  } = compile(rules, boundaries, pod, {
    mode,
    ...NO_CLUSTER,
  });
  return partFrom(JSON.stringify(own).slice(0, -1));
}

const NO_CLUSTER = { cluster: {} as Installation["cluster"], resolvers: [] };

/** What every snapshot ends with. */
export function clusterPart({ cluster, resolvers }: ClusterFacts): Part {
  return partFrom(
    `,"cluster":${JSON.stringify(cluster)},"resolvers":${JSON.stringify(resolvers)}}`,
  );
}

export function whole(own: Part, cluster: Part, origins: readonly Origin[]): Content {
  return {
    revision: digestOf(`${own.digest} ${cluster.digest}`),
    json: own.text + cluster.text,
    origins,
  };
}

function partFrom(text: string): Part {
  return { text, digest: digestOf(text) };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 24);
}

function originOf({ kind, namespace, name, uid, generation }: KnownRule | KnownBoundary): Origin {
  return { kind, ...(namespace !== undefined && { namespace }), name, uid, generation };
}

function closedBoundary(name: string): EgressBoundary {
  return {
    apiVersion: "sallyport.dev/v1alpha1",
    kind: "EgressBoundary",
    metadata: { name },
    spec: CLOSED,
  };
}
