import * as z from "zod";
import { parseCidr } from "./address.ts";
import { EVEN_IF_MALFORMED, field, itemsOf } from "./form.ts";
import { parseHostPattern } from "./hostname.ts";
import { LabelSelector } from "./selector.ts";

/** The two kinds in which policy is written: a namespace's EgressRule, and the platform team's EgressBoundary. */
export const API_VERSION = "sallyport.dev/v1alpha1";

/** What the app speaks there; docs/reference/rules.md says what each means for the verdict. */
export const PROTOCOLS = ["tls", "http", "https", "tcp"] as const;

/** A text that `parse` understands; otherwise its complaint is the message. */
function parsed(parse: (text: string) => unknown) {
  return z.string().superRefine((text, context) => {
    const result = parse(text);
    if (result instanceof Error) context.addIssue({ code: "custom", message: result.message });
  });
}

const Port = z.int().min(1).max(65_535);

const Ports = z
  .strictObject({
    port: Port,
    /** The last port of a range that begins with `port`. */
    endPort: Port.optional(),
    protocol: z.enum(PROTOCOLS),
  })
  .superRefine(({ port, endPort }, context) => {
    if (typeof port === "number" && typeof endPort === "number" && endPort < port)
      context.addIssue({
        code: "custom",
        path: ["endPort"],
        message: `${endPort} is below port ${port}: expected the last port of the range`,
      });
  }, EVEN_IF_MALFORMED);
export type Ports = z.output<typeof Ports>;

/** Where connections may go (or, in a deny list, may not): names, addresses, or names at addresses; and ports. */
export const Destination = z
  .strictObject({
    hosts: z.array(parsed(parseHostPattern)).min(1).optional(),
    cidrs: z.array(parsed(parseCidr)).min(1).optional(),
    ports: z.array(Ports).min(1),
  })
  .superRefine(({ hosts, cidrs, ports }, context) => {
    if (hosts === undefined && cidrs === undefined)
      context.addIssue({ code: "custom", message: "expected hosts, cidrs or both" });
    const wildcard = itemsOf(hosts).find((host) => String(host).startsWith("*."));
    if (wildcard === undefined) return;
    for (const [i, each] of itemsOf(ports).entries())
      if (field(each, "protocol") === "tcp")
        context.addIssue({
          code: "custom",
          path: ["ports", i, "protocol"],
          message:
            `tcp cannot be matched against ${wildcard}: opaque bytes carry no name; ` +
            "write the exact names, or tls or http where that is what is spoken",
        });
  }, EVEN_IF_MALFORMED);
export type Destination = z.output<typeof Destination>;

const Metadata = z.looseObject({
  name: z.string().min(1),
  labels: z.record(z.string(), z.string()).optional(),
});

export const EgressRule = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("EgressRule"),
  /** Without a namespace it is the pod's, as for kubectl it is the current one. */
  metadata: Metadata.extend({ namespace: z.string().min(1).optional() }),
  spec: z.strictObject({
    /** Absent: every injected pod of the namespace. */
    selector: LabelSelector.optional(),
    to: z.array(Destination).min(1),
  }),
  status: z.unknown().optional(),
});
export type EgressRule = z.output<typeof EgressRule>;

export const BYPASS_ANNOTATIONS = [
  "include-outbound-cidrs",
  "exclude-outbound-cidrs",
  "include-outbound-ports",
  "exclude-outbound-ports",
] as const;

export const EgressBoundary = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("EgressBoundary"),
  metadata: Metadata,
  spec: z.strictObject({
    /** Absent: every namespace. */
    namespaceSelector: LabelSelector.optional(),
    mode: z.enum(["enforce", "audit"]).default("enforce"),
    /** Required: no workload of these namespaces runs without the sidecar. */
    injection: z.enum(["optional", "required"]).default("optional"),
    /** A ceiling on the rules of these namespaces. Absent: none. Empty: no rule counts. */
    allow: z.array(Destination).optional(),
    /** Refused whatever else permits it. */
    deny: z.array(Destination).optional(),
    /** Permitted without a rule. */
    baseline: z.array(Destination).optional(),
    /** Which of the bypass annotations workloads may use. Absent: all. */
    workloadOverrides: z.array(z.enum(BYPASS_ANNOTATIONS)).optional(),
  }),
  status: z.unknown().optional(),
});
export type EgressBoundary = z.output<typeof EgressBoundary>;
