import {
  ApiException,
  createConfiguration,
  HttpMethod,
  type KubeConfig,
  RequestContext,
} from "@kubernetes/client-node";
import { attempt } from "./api-error.ts";

/** As JSON has it: nothing is made of it that is not asked for. */
export interface RawObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly [field: string]: unknown;
}

export interface Listed {
  readonly kubeConfig: KubeConfig;
  /** For messages: "pods". */
  readonly what: string;
  /** The collection's path. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Each page is let go of before the next is asked for. */
  readonly onItem: (object: RawObject) => void;
}

const PAGE = 500;
const PAGE_TIMEOUT_MS = 30_000;

interface Page {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly items?: readonly RawObject[];
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

/** What there is now, no older than this call (a list without a version is never a stale one); gives the version. */
export async function listPages(listed: Listed, signal: AbortSignal): Promise<string> {
  const { kubeConfig, what, path, fieldSelector, onItem } = listed;
  const server = kubeConfig.getCurrentCluster()?.server ?? "";
  const { httpApi } = createConfiguration();
  const first = new RequestContext(`${server}${path}`, HttpMethod.GET);
  await kubeConfig.applySecurityAuthentication(first);
  const connections = first.getDispatcher();
  const page = async (next: string | undefined): Promise<Page> => {
    const request = new RequestContext(`${server}${path}`, HttpMethod.GET);
    for (const [name, value] of Object.entries(first.getHeaders()))
      request.setHeaderParam(name, value);
    if (connections) request.setDispatcher(connections);
    request.setQueryParam("limit", String(PAGE));
    if (fieldSelector !== undefined) request.setQueryParam("fieldSelector", fieldSelector);
    if (next !== undefined) request.setQueryParam("continue", next);
    request.setSignal(AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]));
    const response = await httpApi.send(request).toPromise();
    const text = await response.body.text();
    if (response.httpStatusCode !== 200)
      throw new ApiException(response.httpStatusCode, "", text, response.headers);
    return JSON.parse(text);
  };
  try {
    let next: string | undefined;
    for (;;) {
      const { items = [], metadata } = await attempt("list", what, () => page(next));
      for (const item of items) onItem(item);
      next = metadata?.continue || undefined;
      if (next === undefined) return metadata?.resourceVersion ?? "0";
    }
  } finally {
    connections?.close().catch(() => {});
  }
}
