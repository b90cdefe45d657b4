import { selects } from "@sallyport/core/selector";
import type { Mode } from "@sallyport/core/snapshot";
import { type Composition, type Content, compose, type Part, whole } from "./composition.ts";
import type { Labels } from "./entries.ts";
import type { KnownRule } from "./knowledge.ts";
import type { BoundaryEntry } from "./policy-object.ts";

/** Sets of labels, of a namespace. */
export const MOST_KEPT = 5_000;

/** What `Snapshots.of` says of a pod, but for the basis. */
export interface Page {
  readonly content?: Content;
  readonly why?: string;
  readonly closed?: Content;
}

interface Chapter {
  readonly rules: Map<string, KnownRule>;
  labels: Labels | undefined;
  over: readonly BoundaryEntry[] | undefined;
  /** The labels that its rules ask for. */
  asked: readonly string[] | undefined;
  /** By the values of those. */
  readonly byLabels: Map<string, Shared>;
  /** By the rules that are for a pod. */
  readonly byRules: Map<string, Shared>;
}

interface Shared {
  composition: Composition;
  page: Page | undefined;
}

/**
 * The policies of all namespaces, made when they are asked for and kept until something that went into them changes: a rule
 * concerns its namespace, a boundary those that it is or was over, the cluster everybody, who then keep their own part.
 */
export class PolicyBook {
  readonly #mode: Mode;
  readonly #chapters = new Map<string, Chapter>();
  readonly #boundaries = new Map<string, BoundaryEntry>();
  #cluster: Part | undefined;

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  setRule(before: KnownRule | undefined, after: KnownRule | undefined): string | undefined {
    const { namespace = "", name = "" } = after ?? before ?? {};
    const chapter = this.#chapter(namespace);
    if (after) chapter.rules.set(name, after);
    else chapter.rules.delete(name);
    // A status is written often, and changes no policy.
    if (isAlike(before, after)) return undefined;
    forget(chapter);
    this.#tidy(namespace, chapter);
    return namespace;
  }

  /** Gives the namespaces that it concerns. */
  setBoundary(before: BoundaryEntry | undefined, after: BoundaryEntry | undefined): string[] {
    const name = after?.name ?? before?.name ?? "";
    if (after) this.#boundaries.set(name, after);
    else this.#boundaries.delete(name);
    const concerned: string[] = [];
    for (const [namespace, chapter] of this.#chapters) {
      const { labels } = chapter;
      const isOver = (each: BoundaryEntry | undefined) =>
        each !== undefined && labels !== undefined && reaches(each, labels);
      if (!isOver(before) && !isOver(after)) continue;
      chapter.over = undefined;
      if (isAlike(before, after)) continue;
      forget(chapter);
      concerned.push(namespace);
    }
    return concerned;
  }

  setLabels(namespace: string, labels: Labels | undefined): void {
    const chapter = this.#chapter(namespace);
    chapter.labels = labels;
    chapter.over = undefined;
    forget(chapter);
    this.#tidy(namespace, chapter);
  }

  setCluster(part: Part): void {
    this.#cluster = part;
    for (const { byRules } of this.#chapters.values())
      for (const shared of byRules.values()) shared.page = undefined;
  }

  labelsOf(namespace: string): Labels | undefined {
    return this.#chapters.get(namespace)?.labels;
  }

  /** Undefined where the namespace is not known. */
  over(namespace: string): readonly BoundaryEntry[] | undefined {
    const chapter = this.#chapters.get(namespace);
    if (!chapter?.labels) return undefined;
    const { labels } = chapter;
    chapter.over ??= [...this.#boundaries.values()]
      .filter((each) => reaches(each, labels))
      .sort(byName);
    return chapter.over;
  }

  page(namespace: string, labels: Labels): Page {
    const chapter = this.#chapters.get(namespace);
    const over = this.over(namespace);
    if (!chapter || !over) return { why: `namespace ${namespace} is not known yet` };
    if (!this.#cluster) return { why: "the cluster is not known yet" };
    const shared = this.#shared(namespace, chapter, over, labels);
    if (!shared.page) {
      const page = pageOf(shared.composition, this.#cluster);
      shared.page = page;
      shared.composition = within(shared.composition, page);
    }
    return shared.page;
  }

  #shared(
    namespace: string,
    chapter: Chapter,
    over: readonly BoundaryEntry[],
    labels: Labels,
  ): Shared {
    chapter.asked ??= askedBy(chapter.rules.values());
    const values = chapter.asked.map((key) => (Object.hasOwn(labels, key) ? labels[key] : null));
    const labelled = JSON.stringify(values);
    const known = chapter.byLabels.get(labelled);
    if (known) return known;
    // Jobs come and go, each with a name of its own as a label: whoever is there still is asked for again.
    if (chapter.byLabels.size >= MOST_KEPT) clear(chapter);
    const matching = [...chapter.rules.values()]
      .filter(({ object }) => object && selects(object.spec.selector, labels))
      .sort(byName);
    const names = matching.map(({ name }) => name).join(" ");
    const pod = { namespace, labels, namespaceLabels: chapter.labels ?? {} };
    const shared = chapter.byRules.get(names) ?? {
      composition: compose(matching, over, pod, this.#mode),
      page: undefined,
    };
    chapter.byRules.set(names, shared);
    chapter.byLabels.set(labelled, shared);
    return shared;
  }

  #tidy(namespace: string, { labels, rules }: Chapter): void {
    if (labels === undefined && rules.size === 0) this.#chapters.delete(namespace);
  }

  #chapter(namespace: string): Chapter {
    const known = this.#chapters.get(namespace);
    if (known) return known;
    const chapter: Chapter = {
      rules: new Map(),
      ...{ labels: undefined, over: undefined, asked: undefined },
      byLabels: new Map(),
      byRules: new Map(),
    };
    this.#chapters.set(namespace, chapter);
    return chapter;
  }
}

function forget(chapter: Chapter): void {
  chapter.asked = undefined;
  clear(chapter);
}

/** Both at once: what is in one of them alone would miss a new cluster. */
function clear({ byLabels, byRules }: Chapter): void {
  byLabels.clear();
  byRules.clear();
}

function pageOf({ own, closed, why, origins }: Composition, cluster: Part): Page {
  return {
    ...(own && { content: whole(own, cluster, origins) }),
    ...(why !== undefined && { why }),
    ...(closed && { closed: whole(closed, cluster, origins) }),
  };
}

/** Its own part as a piece of the whole text, and no copy beside it. */
function within(composition: Composition, { content }: Page): Composition {
  const { own } = composition;
  if (!own || !content) return composition;
  return { ...composition, own: { ...own, text: content.json.slice(0, own.text.length) } };
}

function askedBy(rules: Iterable<KnownRule>): string[] {
  const keys = [...rules].flatMap(({ object }) => {
    const { matchLabels = {}, matchExpressions = [] } = object?.spec.selector ?? {};
    return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  });
  return [...new Set(keys)].sort();
}

/** One that cannot be used, and never could, is over whatever it might be meant for. */
function reaches({ object, reach }: BoundaryEntry, labels: Labels): boolean {
  return selects(object ? object.spec.namespaceSelector : reach, labels);
}

type Entry = KnownRule | BoundaryEntry;

/** The object that counts is read once for each generation (policy-object.ts). */
function isAlike(before: Entry | undefined, after: Entry | undefined): boolean {
  return (
    before?.uid === after?.uid &&
    before?.generation === after?.generation &&
    before?.object === after?.object &&
    before?.problem === after?.problem
  );
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
