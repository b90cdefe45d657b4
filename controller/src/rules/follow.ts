import { hasStatus } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { listPages, type RawObject } from "../kubernetes/list-pages.ts";
import { pause } from "../kubernetes/pause.ts";
import { watchForever } from "../kubernetes/watch.ts";
import type { Log } from "../log.ts";
import type { Collection } from "./collection.ts";

/** A kind of object that is followed, and what is kept of each. */
export interface Source<T> {
  /** Its plural, which is also its name in a basis. */
  readonly what: string;
  readonly path: string;
  /** What is kept; `before` is what is known of the object of that key. */
  readonly trim: (object: RawObject, before: T | undefined) => T;
  /** What to say where the API server knows no such kind; absent: then there are none. */
  readonly missing?: string;
}

export interface Follower {
  /** Why it was not listed, when that was tried last. */
  readonly trouble: string | undefined;
  /** It has not been listed since the API server does not know the kind. */
  readonly isMissing: boolean;
  /** Resolves when a list that began after this call has been taken over. Lists are shared, and kept apart. */
  relist(): Promise<void>;
}

const RETRY_MOST_MS = 5_000;
/** So often at most, whatever sidecars say that they have. */
const RELIST_EVERY_MS = 2_000;
/** A kind that this API server does not have may come with its next version. */
const ABSENT_FOR_MS = 60_000;

/** Keeps the collection up to date until the signal is given. */
export function follow<T>(
  at: { readonly api: KubernetesApi; readonly log: Log },
  source: Source<T>,
  collection: Collection<T>,
  signal: AbortSignal,
): Follower {
  let trouble: string | undefined;
  let isMissing = false;
  let turn = new AbortController();
  let beganMs = Number.NEGATIVE_INFINITY;
  let running: Promise<unknown> = Promise.resolve();
  /** For the next list; it is not for one that has begun. */
  let next: PromiseWithResolvers<void> | undefined;

  const list = async (during: AbortSignal): Promise<string> => {
    for (;;) {
      const asked = next;
      next = undefined;
      beganMs = performance.now();
      const listing = takeOver(at.api, source, collection, during);
      running = listing.catch(() => {});
      try {
        const version = await listing;
        trouble = undefined;
        isMissing = false;
        at.log("debug", `listed ${source.what}`, { version });
        asked?.resolve();
        if (version !== undefined) return version;
      } catch (error) {
        trouble = (error as Error).message;
        isMissing = error instanceof NoSuchKind;
        asked?.reject(error);
        throw error;
      }
      await pause(ABSENT_FOR_MS, during);
      during.throwIfAborted();
    }
  };
  const begin = () => {
    turn.abort();
    turn = new AbortController();
    const during = turn.signal;
    void watchForever<RawObject & { metadata: object }>(
      {
        ...at,
        ...{ what: source.what, path: source.path, retryMostMs: RETRY_MOST_MS },
        list: async () => ({ items: [], metadata: { resourceVersion: await list(during) } }),
        onNews: (type, object) => {
          if (!during.aborted) takeNews(at.log, source, collection, type, object);
        },
        onBookmark: (version) => {
          if (!during.aborted) collection.advance(BigInt(version));
        },
      },
      during,
    );
  };
  const end = () => {
    turn.abort();
    next?.reject(new Error(`${source.what} are followed no more: this controller ends`));
  };
  signal.addEventListener("abort", end, { once: true });
  if (!signal.aborted) begin();

  return {
    get trouble() {
      return trouble;
    },
    get isMissing() {
      return isMissing;
    },
    relist: () => {
      if (next) return next.promise;
      const asked = Promise.withResolvers<void>();
      next = asked;
      asked.promise.catch(() => {}); // whoever asked may have gone
      void pause(beganMs + RELIST_EVERY_MS - performance.now(), signal)
        .then(() => running)
        .then(() => {
          // A list that began meanwhile may have taken it along.
          if (next === asked && !signal.aborted) begin();
        });
      return asked.promise;
    },
  };
}

class NoSuchKind extends Error {}

/** Undefined where there is no such kind, and that is no mistake. */
async function takeOver<T>(
  { kubeConfig }: KubernetesApi,
  { what, path, trim, missing }: Source<T>,
  collection: Collection<T>,
  during: AbortSignal,
): Promise<string | undefined> {
  const items = new Map<string, { version: bigint; value: T }>();
  const onItem = (object: RawObject) => {
    const key = keyOf(object);
    const value = trim(object, collection.get(key));
    items.set(key, { version: BigInt(object.metadata.resourceVersion), value });
  };
  let version: string | undefined;
  try {
    version = await listPages({ kubeConfig, what, path, onItem }, during);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    if (missing !== undefined) throw new NoSuchKind(`cannot list ${what}: ${missing}`);
  }
  during.throwIfAborted();
  collection.replace(items, version === undefined ? undefined : BigInt(version));
  return version;
}

/** What is thrown here would be swallowed by the watch. */
function takeNews<T>(
  log: Log,
  { what, trim }: Source<T>,
  collection: Collection<T>,
  type: "ADDED" | "MODIFIED" | "DELETED",
  object: RawObject,
): void {
  try {
    const key = keyOf(object);
    const value = type === "DELETED" ? undefined : trim(object, collection.get(key));
    collection.news(key, BigInt(object.metadata.resourceVersion), value);
  } catch (error) {
    log("error", `cannot take over news of ${what}: ${(error as Error).stack}`);
  }
}

/** As `kubectl` names an object: `namespace/name`, or the name of one that is in no namespace. */
export function keyOf({ metadata: { namespace, name } }: RawObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
