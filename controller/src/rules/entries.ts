import { PROXY_CONTAINER } from "../admission/names.ts";
import type { RawObject } from "../kubernetes/list-pages.ts";

/**
 * What is kept of the objects of a cluster: of tens of thousands of pods, a few words each. The API server has judged
 * them; what could still be missing counts as absent.
 */

export type Labels = Readonly<Record<string, string>>;
const NO_LABELS: Labels = {};

export interface PodEntry {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of one with a sidecar alone. */
  readonly labels: Labels;
  readonly isInjected: boolean;
  readonly node: string | undefined;
  /** Of a pod with the node's network, none: they are the node's. */
  readonly addresses: readonly string[];
  readonly hasEnded: boolean;
}

export interface NamespaceEntry {
  readonly name: string;
  readonly labels: Labels;
}

export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIps: readonly string[];
  /** Of TCP. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly externalName: string | undefined;
}

export interface SliceEntry {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: of no Service, and so without meaning here. */
  readonly service: string | undefined;
  /** Of TCP. */
  readonly ports: readonly { readonly name: string; readonly port: number | undefined }[];
  readonly endpoints: readonly {
    readonly address: string;
    readonly isReady: boolean;
    /** The pod that it says to be, in its namespace. */
    readonly pod?: string;
  }[];
}

export interface NodeEntry {
  readonly podRanges: readonly string[];
  readonly addresses: readonly string[];
}

export interface ServiceRangeEntry {
  readonly ranges: readonly string[];
}

export function podEntry({ metadata, spec, status }: RawObject): PodEntry {
  const { hostNetwork, nodeName, containers, initContainers } = object(spec);
  const { phase, podIP, podIPs } = object(status);
  const isInjected = [...objects(initContainers), ...objects(containers)].some(
    ({ name }) => name === PROXY_CONTAINER,
  );
  const addresses = [podIP, ...objects(podIPs).map(({ ip }) => ip)].filter(isText);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    uid: metadata.uid,
    labels: (isInjected && metadata.labels) || NO_LABELS,
    isInjected,
    node: isText(nodeName) ? nodeName : undefined,
    addresses: hostNetwork === true ? [] : [...new Set(addresses)],
    hasEnded: phase === "Succeeded" || phase === "Failed",
  };
}

export function namespaceEntry({ metadata }: RawObject): NamespaceEntry {
  return { name: metadata.name, labels: metadata.labels ?? NO_LABELS };
}

export function serviceEntry({ metadata, spec }: RawObject): ServiceEntry {
  const { type, clusterIP, clusterIPs, ports, externalName } = object(spec);
  const isAlias = type === "ExternalName";
  const ips = [clusterIP, ...texts(clusterIPs)].filter(isText);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    clusterIps: isAlias ? [] : [...new Set(ips)].filter((ip) => ip !== "" && ip !== "None"),
    ports: tcp(ports).flatMap(({ name, port }) =>
      typeof port === "number" ? [{ name: isText(name) ? name : "", port }] : [],
    ),
    externalName: isAlias && isText(externalName) ? externalName : undefined,
  };
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/ */
export function sliceEntry({ metadata, addressType, endpoints, ports }: RawObject): SliceEntry {
  const service = metadata.labels?.["kubernetes.io/service-name"];
  const isUsed = service !== undefined && addressType !== "FQDN";
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    service: isUsed ? service : undefined,
    // The API server takes any number here: what is no port leads nowhere.
    ports: tcp(isUsed ? ports : [])
      .filter(({ port }) => typeof port !== "number" || (port >= 1 && port <= 65_535))
      .map(({ name, port }) => ({
        name: isText(name) ? name : "",
        port: typeof port === "number" ? port : undefined,
      })),
    endpoints: objects(isUsed ? endpoints : []).flatMap(({ addresses, conditions, targetRef }) => {
      // Unknown counts as ready.
      const isReady = object(conditions).ready !== false;
      const { kind, name } = object(targetRef);
      const pod = kind === "Pod" && isText(name) ? { pod: name } : {};
      return texts(addresses).map((address) => ({ address, isReady, ...pod }));
    }),
  };
}

export function nodeEntry({ spec, status }: RawObject): NodeEntry {
  const { podCIDR, podCIDRs } = object(spec);
  const addressesOf = (wanted: string) =>
    objects(object(status).addresses)
      .filter(({ type }) => type === wanted)
      .map(({ address }) => address)
      .filter(isText);
  const internal = addressesOf("InternalIP");
  return {
    podRanges: [...new Set([podCIDR, ...texts(podCIDRs)].filter(isText))],
    // As the kubelet chooses those of pods with its network.
    addresses: internal.length > 0 ? internal : addressesOf("ExternalIP"),
  };
}

export function serviceRangeEntry({ spec }: RawObject): ServiceRangeEntry {
  return { ranges: texts(object(spec).cidrs) };
}

type Fields = Readonly<Record<string, unknown>>;

function object(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A port without a protocol is of TCP. */
function tcp(ports: unknown): readonly Fields[] {
  return objects(ports).filter(({ protocol }) => protocol === undefined || protocol === "TCP");
}
