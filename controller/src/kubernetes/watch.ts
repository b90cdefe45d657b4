import { type KubernetesObject, Watch } from "@kubernetes/client-node";
import type { Log } from "../log.ts";
import { ApiError, attempt } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { logOnce } from "./log-once.ts";
import { pause } from "./pause.ts";

export interface Watched<T extends KubernetesObject> {
  readonly api: KubernetesApi;
  /** For messages: "namespaces". */
  readonly what: string;
  /** The collection's path, for example `/api/v1/namespaces`. */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly log: Log;
  /**
   * What there is, asked before each watch that does not continue one. Absent: only news matter, and what there is comes
   * as news.
   */
  readonly list?: () => Promise<{ items: T[]; metadata?: { resourceVersion?: string } }>;
  readonly onList?: (items: readonly T[]) => void;
  readonly onNews: (type: "ADDED" | "MODIFIED" | "DELETED", object: T) => void;
  /** Nothing has happened up to that version. */
  readonly onBookmark?: (version: string) => void;
  /** The longest wait between attempts, where the usual one is too long. */
  readonly retryMostMs?: number;
}

const RETRY_MS = { first: 1_000, most: 30_000 } as const;
/** One that has lived for that long was a good one: the next is tried soon again. */
const GOOD_AFTER_MS = 10_000;

/** Watches for ever: whatever ends it, it begins again, ever more slowly while it fails. */
export async function watchForever<T extends KubernetesObject>(
  watched: Watched<T>,
  signal: AbortSignal,
): Promise<void> {
  const told = logOnce(watched.log);
  let waitMs: number = RETRY_MS.first;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await listAndWatch(watched, signal, () => told.fine(`${watched.what} can be watched again`));
    } catch (error) {
      if (!signal.aborted) told.trouble(error, "warn");
    }
    waitMs =
      performance.now() - began > GOOD_AFTER_MS
        ? RETRY_MS.first
        : Math.min(waitMs * 2, watched.retryMostMs ?? RETRY_MS.most);
    await pause(waitMs * (0.5 + Math.random() / 2), signal);
  }
}

/** One list, and watches that each go on where the last one stopped, until one of them fails. */
async function listAndWatch<T extends KubernetesObject>(
  watched: Watched<T>,
  signal: AbortSignal,
  onGood: () => void,
): Promise<void> {
  const { list, what, onList } = watched;
  let version: string | undefined;
  if (list) {
    const found = await attempt("list", what, list);
    if (signal.aborted) return;
    onList?.(found.items);
    onGood();
    version = found.metadata?.resourceVersion;
  }
  do version = await watchOnce(watched, version, signal, onGood);
  while (version !== undefined && !signal.aborted);
}

/** Until it ends quietly: the version from which to go on; undefined where none is known. */
async function watchOnce<T extends KubernetesObject>(
  { api, what, path, fieldSelector, onNews, onBookmark }: Watched<T>,
  from: string | undefined,
  signal: AbortSignal,
  onGood: () => void,
): Promise<string | undefined> {
  let version = from;
  const began = performance.now();
  const query = {
    allowWatchBookmarks: true,
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(from !== undefined && { resourceVersion: from }),
    // The client gives up what has been silent for 30 s; a watch that the server ends in time is not torn.
    timeoutSeconds: WATCH_SECONDS,
  };
  let failure: unknown;
  let request: AbortController | undefined;
  const end = () => request?.abort();
  // The signal outlives every watch: what hangs on it is taken off again.
  signal.addEventListener("abort", end);
  await new Promise<void>((resolve) => {
    const onEvent = (type: string, object: T & { code?: number; message?: string }) => {
      if (type === "ERROR") {
        failure = Object.assign(new Error(object.message ?? "the watch was ended"), {
          statusCode: object.code,
        });
        return;
      }
      onGood();
      version = object.metadata?.resourceVersion ?? version;
      if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") onNews(type, object);
      else if (type === "BOOKMARK" && version !== undefined) onBookmark?.(version);
    };
    new Watch(api.kubeConfig)
      .watch(path, query, onEvent, (error) => {
        failure ??= error ?? undefined;
        resolve();
      })
      .then(
        (begun) => {
          request = begun;
          if (signal.aborted) end();
        },
        (error) => {
          failure = error;
          resolve();
        },
      );
  }).finally(() => signal.removeEventListener("abort", end));
  if (failure !== undefined && !signal.aborted) {
    const error = new ApiError("watch", what, failure);
    // What happened since `from` is remembered no more: ordinary after a pause.
    if (error.status === 410) return undefined;
    throw error;
  }
  // Somebody between us and the API server may end each one at once.
  await pause(began + RETRY_MS.first - performance.now(), signal);
  return version;
}

const WATCH_SECONDS = 25;
