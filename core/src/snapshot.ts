import * as z from "zod";
import { canonicalAddress, parseAddress, parseCidr } from "./address.ts";
import { EVEN_IF_MALFORMED, field, itemsOf } from "./form.ts";
import { canonicalName } from "./hostname.ts";
import type { PortRange } from "./ports.ts";
import { parseResolver } from "./resolver.ts";
import { Destination, type EgressBoundary, type EgressRule } from "./rules.ts";
import { type Labels, selects } from "./selector.ts";

/** Raised when an older reader could misread a snapshot. */
export const SNAPSHOT_SCHEMA = 1;

/** One entry of a rule's `to`, or of a boundary's list, and where it stands. */
export interface Clause extends Destination {
  /** `namespace/name` of a rule, the name of a boundary. */
  readonly rule: string;
  /** The entry's place in its list, from 0. */
  readonly entry: number;
}

/**
 * All that decides where one pod may connect: its own rules and the boundaries over it, nobody else's. Plain data, made
 * by the controller or from a file, sent to the sidecar and read by it.
 */
export interface PolicySnapshot {
  readonly schema: typeof SNAPSHOT_SCHEMA;
  /** Audit: what would be refused passes, and is recorded. */
  readonly mode: Mode;
  readonly namespace: string;
  readonly rules: readonly Clause[];
  readonly baseline: readonly Clause[];
  readonly deny: readonly Clause[];
  readonly ceilings: readonly { readonly boundary: string; readonly allow: readonly Clause[] }[];
  readonly cluster: Cluster;
  /** Who is asked for names: `10.96.0.10`, `10.96.0.10:53`, `[fd00::a]:53`. */
  readonly resolvers: readonly string[];
}

export type Mode = "audit" | "enforce";

const CidrText = z.string().superRefine((text, context) => {
  const cidr = parseCidr(text);
  if (cidr instanceof Error) context.addIssue({ code: "custom", message: cidr.message });
});

const AddressText = z.string().refine((text) => parseAddress(text) !== undefined, {
  error: "expected an address: 10.0.0.1, fd00::1",
});

/** RFC 1123, as Kubernetes names Services and namespaces. */
const LabelText = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: "expected one label of small letters, digits and hyphens, such as httpbin",
});

const EndpointOf = z.strictObject({ address: AddressText, port: z.int().min(1).max(65_535) });

/** What the cluster itself is made of. */
export const Cluster = z
  .strictObject({
    /** Of pods and Services: allowed unless denied, on every port, and no name alone leads there. */
    ranges: z.array(CidrText).default([]),
    /** Of the nodes: no name alone leads there, nor a wider CIDR. */
    nodes: z.array(CidrText).default([]),
    /** Allowed beside the ranges: the API server's addresses, for instance. */
    endpoints: z.array(EndpointOf).default([]),
    /** Under which the names of Services end. */
    domain: z
      .string()
      .refine((text) => canonicalName(text) !== undefined, {
        error: "expected the DNS domain of the cluster, such as cluster.local",
      })
      .default("cluster.local"),
    /** Services of type ExternalName: who asks for one is judged by what it stands for (external-names.ts). */
    externalNames: z
      .array(
        z.strictObject({
          namespace: LabelText,
          name: LabelText,
          externalName: z.string().min(1),
        }),
      )
      .default([]),
    /**
     * Services with an endpoint outside the cluster and its nodes, by all of their endpoints: who dials one is judged by
     * these (leading-out.ts), whatever `ranges` say of its own address.
     */
    leadingOut: z
      .array(
        z.strictObject({
          namespace: LabelText,
          name: LabelText,
          /** Its cluster IPs. */
          addresses: z.array(AddressText),
          /** Of TCP. */
          ports: z.array(
            z.strictObject({
              port: z.int().min(1).max(65_535),
              endpoints: z.array(EndpointOf),
            }),
          ),
        }),
      )
      .default([]),
  })
  .superRefine(({ externalNames, leadingOut }, context) => {
    const once = (list: string, i: number, name: string, why: string, places: Places) => {
      const there = places.get(name);
      if (there === undefined) places.set(name, i);
      else
        context.addIssue({
          code: "custom",
          path: [list, i],
          message: `${name} is in ${list}[${there}], too: ${why}, remove the other`,
        });
    };
    const aliases: Places = new Map();
    const names: Places = new Map();
    const addresses: Places = new Map();
    for (const [i, service] of itemsOf(externalNames).entries())
      once("externalNames", i, nameOf(service), "a Service has one external name", aliases);
    for (const [i, service] of itemsOf(leadingOut).entries()) {
      once("leadingOut", i, nameOf(service), "a Service is there once, with all its ports", names);
      for (const text of new Set(itemsOf(field(service, "addresses")).map(canonical)))
        once("leadingOut", i, text, "a cluster IP is one Service's", addresses);
      const ports = itemsOf(field(service, "ports")).map((each) => field(each, "port"));
      const twice = ports.find((port, at) => ports.indexOf(port) !== at);
      if (twice !== undefined)
        context.addIssue({
          code: "custom",
          path: ["leadingOut", i, "ports"],
          message: `port ${twice} is there twice: a port has all its endpoints in one place`,
        });
    }
  }, EVEN_IF_MALFORMED);
export type Cluster = z.output<typeof Cluster>;

type Places = Map<string, number>;

function nameOf(service: unknown): string {
  return `${field(service, "namespace")}/${field(service, "name")}`;
}

function canonical(text: unknown): string {
  return canonicalAddress(String(text)) ?? String(text);
}

export const ResolverText = z.string().refine((text) => parseResolver(text) !== undefined, {
  error: "expected an address, or an address and a port: 10.96.0.10, 10.96.0.10:53, [fd00::a]:53",
});

const Clauses = z.array(
  Destination.safeExtend({ rule: z.string().min(1).max(320), entry: z.int().min(0) }),
);

/**
 * A snapshot as it arrives. A key that is not known is a mistake: of what a policy says, all must be understood, or it is
 * not used.
 */
export const PolicySnapshot: z.ZodType<PolicySnapshot> = z.strictObject({
  schema: z.literal(SNAPSHOT_SCHEMA, {
    error: `expected ${SNAPSHOT_SCHEMA}, the schema of snapshots that is known here`,
  }),
  mode: z.enum(["audit", "enforce"]),
  namespace: z.string().min(1).max(63),
  rules: Clauses,
  baseline: Clauses,
  deny: Clauses,
  ceilings: z.array(z.strictObject({ boundary: z.string().min(1).max(253), allow: Clauses })),
  cluster: Cluster,
  resolvers: z.array(ResolverText),
});

/** Whom the snapshot is for. */
export interface PodIdentity {
  readonly namespace: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
}

export interface Installation {
  /** Where no boundary says it. */
  readonly mode: Mode;
  readonly cluster: Cluster;
  readonly resolvers: readonly string[];
}

/** Denies and baselines unite, ceilings intersect, enforce beats audit. */
export function compile(
  rules: readonly EgressRule[],
  boundaries: readonly EgressBoundary[],
  pod: PodIdentity,
  { mode, cluster, resolvers }: Installation,
): PolicySnapshot {
  const over = boundaries.filter(({ spec }) =>
    selects(spec.namespaceSelector, pod.namespaceLabels),
  );
  const modes = over.map(({ spec }) => spec.mode);
  return {
    schema: SNAPSHOT_SCHEMA,
    mode: modes.includes("enforce") ? "enforce" : modes.includes("audit") ? "audit" : mode,
    namespace: pod.namespace,
    rules: rules
      .filter(
        ({ metadata, spec }) =>
          (metadata.namespace ?? pod.namespace) === pod.namespace &&
          selects(spec.selector, pod.labels),
      )
      .flatMap(({ metadata, spec }) => clauses(`${pod.namespace}/${metadata.name}`, spec.to)),
    baseline: over.flatMap(({ metadata, spec }) => clauses(metadata.name, spec.baseline)),
    deny: over.flatMap(({ metadata, spec }) => clauses(metadata.name, spec.deny)),
    ceilings: over.flatMap(({ metadata, spec }) =>
      spec.allow ? [{ boundary: metadata.name, allow: clauses(metadata.name, spec.allow) }] : [],
    ),
    cluster,
    resolvers,
  };
}

/** Where some entry goes by what the app says first. */
export function spokenPorts({ rules, baseline, deny, ceilings }: PolicySnapshot): PortRange[] {
  const named = [...deny, ...ceilings.flatMap(({ allow }) => allow)].filter(({ hosts }) => hosts);
  return [...rules, ...baseline, ...named]
    .flatMap(({ ports }) => ports)
    .filter(({ protocol }) => protocol !== "tcp")
    .map(({ port, endPort }) => ({ first: port, last: endPort ?? port }));
}

function clauses(rule: string, list: readonly Destination[] = []): Clause[] {
  return list.map((destination, entry) => ({ rule, entry, ...destination }));
}
