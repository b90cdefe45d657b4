import type { Basis } from "@sallyport/core/delivery";
import type { InjectionOptions } from "../admission/options.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { listPages } from "../kubernetes/list-pages.ts";
import type { Log } from "../log.ts";
import { catchUp, type Followed, type Sought } from "./catch-up.ts";
import type { Given } from "./cluster-facts.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import { Collection } from "./collection.ts";
import type { Content } from "./composition.ts";
import type { NamespaceEntry, PodEntry } from "./entries.ts";
import { follow, type Source } from "./follow.ts";
import type { Knowledge, KnownRule } from "./knowledge.ts";
import { overUnknown } from "./over-unknown.ts";
import { type Page, PolicyBook } from "./policy-book.ts";
import type { BoundaryEntry } from "./policy-object.ts";
import type { Compiled, PodRef } from "./snapshots.ts";
import { SOURCES } from "./sources.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface KnowledgeOptions {
  readonly api: KubernetesApi;
  /** What the installation says of mode, cluster and resolvers. */
  readonly injection: Pick<InjectionOptions, "policy" | "resolvers" | "clusterCidrs">;
  readonly log: Log;
}

/** Follows everything that policies are made of, until the signal is given. */
export function watchKnowledge(options: KnowledgeOptions, signal: AbortSignal): Knowledge {
  const { api, injection, log } = options;
  const book = new PolicyBook(injection.policy.mode);
  const listed = () => {
    cluster.begin();
    subscriptions.touch();
  };
  const rules = new Collection<KnownRule>((before, after) => {
    const namespace = book.setRule(before, after);
    subscriptions.touch(namespace === undefined ? [] : [namespace]);
  }, listed);
  const boundaries = new Collection<BoundaryEntry>((before, after) => {
    subscriptions.touch(book.setBoundary(before, after));
  }, listed);
  const namespaces = new Collection<NamespaceEntry>((before, after) => {
    const name = after?.name ?? before?.name ?? "";
    book.setLabels(name, after?.labels);
    subscriptions.touch([name]);
  }, listed);
  const pods = new Collection<PodEntry>((before, after) => {
    cluster.podChanged(before, after);
    if (before?.isInjected || after?.isInjected)
      subscriptions.touch([after?.namespace ?? before?.namespace ?? ""]);
  }, listed);
  const cluster = new ClusterWatch({
    ...{ pods, given: givenBy(injection), log },
    onPart: (part) => {
      book.setCluster(part);
      subscriptions.touch();
    },
    onMisses: () => subscriptions.touch([]),
    askForPod: ({ namespace, name }) => seekPod(namespace, name).find(),
  });

  const podOf = ({ namespace, name, uid }: PodRef): PodEntry | undefined => {
    const pod = pods.get(`${namespace}/${name}`);
    return pod?.uid === uid && isServed(pod) ? pod : undefined;
  };
  const pageOf = (ref: PodRef): Page | undefined => {
    const why = notReady();
    if (why !== undefined) return { why };
    const pod = podOf(ref);
    return pod && book.page(pod.namespace, pod.labels);
  };
  const subscriptions = new Subscriptions(pageOf, log);

  const following = <T>(source: Source<T>, collection: Collection<T>) => {
    const follower = follow({ api, log }, source, collection, signal);
    return { what: source.what, collection, follower };
  };
  const ofBoundaries = following(SOURCES.boundaries, boundaries);
  const ofBasis = [
    following(SOURCES.rules, rules),
    ofBoundaries,
    following(SOURCES.services, cluster.services),
    following(SOURCES.slices, cluster.slices),
    following(SOURCES.nodes, cluster.nodes),
    following(SOURCES.serviceRanges, cluster.serviceRanges),
  ] satisfies Followed[];
  const all = [
    ...ofBasis,
    following(SOURCES.pods, pods),
    following(SOURCES.namespaces, namespaces),
  ];
  signal.addEventListener("abort", () => {
    subscriptions.end();
    cluster.end();
  });

  const basisOf = (pod: PodEntry): Basis => {
    const versions = {
      [SOURCES.rules.what]: rules.version,
      [SOURCES.boundaries.what]: boundaries.version,
      ...cluster.versions,
      pod: pods.versionOf(`${pod.namespace}/${pod.name}`),
      namespace: namespaces.versionOf(pod.namespace),
    };
    return Object.fromEntries(
      Object.entries(versions).flatMap(([what, version]) =>
        version === undefined ? [] : [[what, String(version)]],
      ),
    );
  };
  const compiled = (content: Content, pod: PodEntry): Compiled => ({
    ...content,
    basis: basisOf(pod),
  });
  const seek = <T>(
    what: string,
    source: Source<T>,
    collection: Collection<T>,
    key: string,
    path: string,
  ): Sought => ({
    what,
    version: () => collection.versionOf(key),
    find: async () => {
      await listPages(
        {
          ...{ kubeConfig: api.kubeConfig, what: source.what, path },
          fieldSelector: `metadata.name=${key.slice(key.indexOf("/") + 1)}`,
          onItem: (object) => {
            const value = source.trim(object, collection.get(key));
            collection.offer(key, BigInt(object.metadata.resourceVersion), value);
          },
        },
        signal,
      );
    },
  });
  const seekPod = (namespace: string, name: string, uid?: string): Sought => {
    const path = `${SOURCES.namespaces.path}/${encodeURIComponent(namespace)}/pods`;
    const key = `${namespace}/${name}`;
    const sought = seek("pod", SOURCES.pods, pods, key, path);
    const isOther = () => uid !== undefined && pods.get(key)?.uid !== uid;
    // What is known may be one of the same name from before.
    return { ...sought, version: () => (isOther() ? undefined : sought.version()) };
  };
  let isReady = false;
  const notReady = (): string | undefined => {
    if (isReady) return undefined;
    const lacking = all.filter(({ collection }) => !collection.isListed);
    const said = lacking.map(
      ({ what, follower }) => follower.trouble ?? `${what} are being listed`,
    );
    isReady = lacking.length === 0;
    return isReady ? undefined : said.join("; ");
  };

  return {
    get notReady() {
      return notReady();
    },
    of: (ref) => {
      const page = pageOf(ref);
      const pod = podOf(ref);
      return (
        page && {
          ...(page.content && pod && { compiled: compiled(page.content, pod) }),
          ...(page.why !== undefined && { why: page.why }),
          ...(page.closed && pod && { closed: compiled(page.closed, pod) }),
        }
      );
    },
    subscribe: (pod, onChange) => subscriptions.add(pod, onChange),
    catchUp: async ({ namespace, name, uid }, basis = {}) => {
      const { path } = SOURCES.namespaces;
      const sought = [
        seekPod(namespace, name, uid),
        seek("namespace", SOURCES.namespaces, namespaces, namespace, path),
      ];
      const caughtUp = await catchUp(basis, ofBasis, sought);
      await cluster.settle();
      return caughtUp;
    },
    rules: () => rules.values(),
    boundaries: () => boundaries.values(),
    *namespaces() {
      for (const { name } of namespaces.values()) yield name;
    },
    *pods() {
      for (const pod of pods.values()) if (isServed(pod)) yield pod;
    },
    namespaceLabels: (namespace) => book.labelsOf(namespace),
    get boundariesNotReady() {
      if (ofBoundaries.follower.isMissing) return undefined;
      return boundaries.isListed && namespaces.isListed ? undefined : notReady();
    },
    boundariesOver: (namespace) => {
      if (!boundaries.isListed) return ofBoundaries.follower.isMissing ? [] : undefined;
      return book.over(namespace) ?? overUnknown(boundaries.values());
    },
    network: () => cluster.network,
    misses: () => cluster.misses,
    watch: (onChange) => subscriptions.listen(onChange),
  };
}

function isServed({ isInjected, hasEnded }: PodEntry): boolean {
  return isInjected && !hasEnded;
}

function givenBy({ policy, resolvers, clusterCidrs }: KnowledgeOptions["injection"]): Given {
  const { cluster } = policy;
  return {
    cluster: { ...cluster, ranges: [...cluster.ranges, ...clusterCidrs] },
    resolvers: policy.resolvers.length > 0 ? policy.resolvers : resolvers,
  };
}
