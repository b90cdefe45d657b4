import type { RawObject } from "@sallyport/controller/kubernetes/list-pages";
import { clusterFacts } from "@sallyport/controller/rules/cluster-facts";
import { Collection } from "@sallyport/controller/rules/collection";
import { clusterPart } from "@sallyport/controller/rules/composition";
import { type PodEntry, podEntry } from "@sallyport/controller/rules/entries";
import type { KnownRule } from "@sallyport/controller/rules/knowledge";
import { type Page, PolicyBook } from "@sallyport/controller/rules/policy-book";
import { boundaryEntry, ruleEntry } from "@sallyport/controller/rules/policy-object";
import { Cluster } from "@sallyport/core/snapshot";

export interface Size {
  readonly namespaces: number;
  /** Of each namespace. */
  readonly rules: number;
  readonly pods: number;
}

/** What a controller knows, made of the texts that an API server would send; it has compiled nothing yet. */
export class Scene {
  readonly size: Size;
  readonly #book = new PolicyBook("enforce");
  readonly #rules = new Collection<KnownRule>((before, after) => {
    this.#book.setRule(before, after);
  });
  readonly #pods = new Map<string, PodEntry[]>();
  #version = 1n;

  constructor(size: Size) {
    this.size = size;
    this.#rules.replace(new Map(), 0n);
    const guard = boundaryEntry(
      object(undefined, "guard", 1n, { deny: [tls("*.evil.test")] }),
      undefined,
    );
    this.#book.setBoundary(undefined, guard);
    for (let n = 0; n < size.namespaces; n++) {
      const namespace = namespaceOf(n);
      this.#book.setLabels(namespace, { "kubernetes.io/metadata.name": namespace });
      for (let r = 0; r < size.rules; r++) this.write(n, r);
      const pods = Array.from({ length: size.pods }, (_, i) =>
        podEntry(JSON.parse(JSON.stringify(podObject(namespace, i, ++this.#version)))),
      );
      this.#pods.set(namespace, pods);
    }
    this.moveCluster(0);
  }

  /** A rule is created or changed, from the text of a watch's event on. */
  write(namespace: number, rule: number, generation = 1): void {
    const at = namespaceOf(namespace);
    const text = JSON.stringify(ruleObject(at, rule, ++this.#version, generation));
    const key = `${at}/${ruleName(rule)}`;
    this.#rules.news(key, this.#version, ruleEntry(JSON.parse(text), this.#rules.get(key)));
  }

  /** Everybody's part changes. */
  moveCluster(to: number): void {
    const services = Array.from({ length: 20 }, (_, i) => ({
      ...{ namespace: namespaceOf(i), name: "mail", clusterIps: [], ports: [] },
      externalName: `mail-${i + to}.example.com`,
    }));
    const nodes = Array.from({ length: 50 }, (_, i) => ({
      podRanges: [`10.244.${i}.0/24`],
      addresses: [`172.18.0.${i + 1}`],
    }));
    const found = { services, nodes, pods: [], slices: [], serviceRanges: [] };
    const given = {
      cluster: Cluster.parse({ ranges: ["10.96.0.0/16"] }),
      resolvers: ["10.96.0.10"],
    };
    this.#book.setCluster(clusterPart(clusterFacts(given, found)));
  }

  /** Of all pods, or of one namespace's, as they are sent; gives how many contents there are. */
  pages(namespace?: number): number {
    const contents = new Set<Page["content"]>();
    const all = namespace === undefined ? [...this.#pods.values()] : [this.#podsOf(namespace)];
    for (const { namespace: at, labels } of all.flat())
      contents.add(this.#book.page(at, labels).content);
    for (const content of contents) Buffer.from(content?.json ?? "");
    return contents.size;
  }

  #podsOf(namespace: number): PodEntry[] {
    return this.#pods.get(namespaceOf(namespace)) ?? [];
  }
}

const namespaceOf = (i: number) => `team-${i}`;
const ruleName = (i: number) => `rule-${i}`;
const tls = (...hosts: string[]) => ({ hosts, ports: [{ port: 443, protocol: "tls" }] });

/** Half of the rules are for all pods, a quarter for each of two apps. */
function ruleObject(namespace: string, i: number, version: bigint, generation: number): RawObject {
  const host = (n: number) => `api-${i}-${n}-${generation}.example.com`;
  const selector = i % 2 === 0 ? {} : { selector: { matchLabels: { app: `app-${i % 4}` } } };
  return object(
    namespace,
    ruleName(i),
    version,
    {
      ...selector,
      to: [
        tls(host(0), host(1), `*.zone-${i}.example.net`),
        { cidrs: ["203.0.113.0/24"], ports: [{ port: 5432, protocol: "tcp" }] },
      ],
    },
    generation,
  );
}

function podObject(namespace: string, i: number, version: bigint): RawObject {
  const labels = { app: `app-${i % 5}`, "pod-template-hash": `hash-${i % 5}` };
  const raw = object(namespace, `pod-${i}`, version, {
    nodeName: `node-${i % 50}`,
    containers: [{ name: "app" }],
    initContainers: [{ name: "sallyport-proxy" }],
  });
  const status = { phase: "Running", podIP: `10.244.${i % 50}.${i % 250}` };
  return { ...raw, metadata: { ...raw.metadata, labels }, status };
}

function object(
  namespace: string | undefined,
  name: string,
  version: bigint,
  spec: object,
  generation = 1,
): RawObject {
  const uid = `${namespace}/${name}`;
  const more = { name, uid, resourceVersion: String(version), generation };
  return { metadata: { ...(namespace !== undefined && { namespace }), ...more }, spec };
}
