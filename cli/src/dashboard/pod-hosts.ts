import { createHash } from "node:crypto";

/**
 * Each pod's page has a host of its own, and so an origin of its own (RFC 6454): what answers in a pod is that pod's, and
 * must not read what others tell. Names below localhost are this machine, without any lookup (RFC 6761 §6.3).
 */
export function hostOf(namespace: string, pod: string): string {
  const host = `${pod}.${namespace}.localhost`;
  const fits = host.length <= 253 && pod.split(".").every((label) => label.length <= 63);
  if (fits) return host;
  const mark = createHash("sha256").update(`${namespace}/${pod}`).digest("hex").slice(0, 16);
  return `${pod.replaceAll(".", "-").slice(0, 40)}-${mark}.${namespace}.localhost`;
}

/** As a request's Host says it, without the port and in lower case; undefined where it is for another port. */
export function hostAsked(header: string | undefined, port: number): string | undefined {
  const [, host = "", asked] = /^(\[[0-9a-f:]+\]|[^:]*)(?::(\d+))?$/i.exec(header ?? "") ?? [];
  return Number(asked ?? 80) === port ? host.toLowerCase() : undefined;
}

/** The dashboard itself. */
export const OWN_HOSTS: readonly string[] = ["localhost", "127.0.0.1"];
