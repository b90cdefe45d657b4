import type { V1Namespace } from "@kubernetes/client-node";
import type { Log } from "../log.ts";
import type { KubernetesApi } from "./client.ts";
import { watchForever } from "./watch.ts";

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
const LEVELS = ["privileged", "baseline", "restricted"] as const;
export type PodSecurityLevel = (typeof LEVELS)[number];
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Undefined where a namespace enforces none by a label, or is not known. */
export function podSecurityLevel(
  labels: Readonly<Record<string, string>> | undefined,
): PodSecurityLevel | undefined {
  return LEVELS.find((each) => each === labels?.[ENFORCE]);
}

export interface Namespaces {
  /** Undefined where it enforces none by a label, is not known, or nothing is known yet: good enough for a warning. */
  podSecurityOf(namespace: string): PodSecurityLevel | undefined;
}

/** What namespaces say, kept up to date until the signal is given. */
export function watchNamespaces(api: KubernetesApi, log: Log, signal: AbortSignal): Namespaces {
  const levels = new Map<string, PodSecurityLevel>();
  const note = ({ metadata }: V1Namespace) => {
    const name = metadata?.name ?? "";
    const level = podSecurityLevel(metadata?.labels);
    if (level) levels.set(name, level);
    else levels.delete(name);
  };
  void watchForever<V1Namespace>(
    {
      ...{ api, log, what: "namespaces", path: "/api/v1/namespaces" },
      list: () => api.core.listNamespace(),
      onList: (items) => {
        levels.clear();
        items.forEach(note);
      },
      onNews: (type, namespace) => {
        if (type === "DELETED") levels.delete(namespace.metadata?.name ?? "");
        else note(namespace);
      },
    },
    signal,
  );
  return { podSecurityOf: (namespace) => levels.get(namespace) };
}
