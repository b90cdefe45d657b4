import * as z from "zod";
import type { PolicySnapshot } from "./snapshot.ts";

/**
 * How a sidecar is given its policy: it opens `GET /v1/policy` over TLS with its pod's token (`Authorization: Bearer`) and
 * `Upgrade: sallyport-policy/1`; after the 101 both sides write one JSON object a line. The sidecar begins with `hello`.
 */
export const DELIVERY_PATH = "/v1/policy";
export const DELIVERY_PROTOCOL = "sallyport-policy/1";
/** Of the ServiceAccount token: it opens this door and no other. */
export const DELIVERY_AUDIENCE = "sallyport.dev/policy";

export const DELIVERY_LIMITS = {
  /** A line of the sidecar's; a longer one ends the stream. */
  sidecarLineBytes: 256 << 10,
  /** A line of the controller's. */
  controllerLineBytes: 32 << 20,
  /** Either side says something at least that often, */
  beatMs: 15_000,
  /** and is given up when it has said nothing for that long. */
  silentMs: 45_000,
  /** Rows of one report; what does not fit is only counted. */
  reportRows: 200,
} as const;

/**
 * What a snapshot was made from: of each collection the resource version up to which its maker knew it. A sidecar that has
 * one takes none whose basis is lower anywhere, unless the API server itself has gone back (`rewound`).
 */
export type Basis = Readonly<Record<string, string>>;

/** Whether everything that went into `older` was known to the maker of `newer`, too. */
export function covers(newer: Basis, older: Basis): boolean {
  return Object.entries(older).every(
    ([collection, version]) => BigInt(newer[collection] ?? 0) >= BigInt(version),
  );
}

const BasisText = z.record(z.string().max(64), z.string().regex(/^\d{1,20}$/));
const Revision = z.string().min(1).max(64);

/** The controller's lines; `snapshot` is judged by itself (PolicySnapshot), so that its mistakes have paths of their own. */
export const ControllerLine = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("snapshot"),
    /** Says what is in it: equal revisions, equal content. */
    revision: Revision,
    basis: BasisText,
    /** The API server has been set back (restored from a backup): a lower basis is no mistake. */
    rewound: z.boolean().optional(),
    snapshot: z.unknown(),
  }),
  /** What the sidecar has is what it would be sent. */
  z.looseObject({ type: z.literal("current"), revision: Revision, basis: BasisText }),
  z.looseObject({ type: z.literal("beat") }),
  /** The last one: why the controller ends the stream. The sidecar comes again, to any replica. */
  z.looseObject({ type: z.literal("end"), why: z.string().max(1_024) }),
]);
export type ControllerLine = z.output<typeof ControllerLine>;
export interface SnapshotLine {
  readonly type: "snapshot";
  readonly revision: string;
  readonly basis: Basis;
  readonly rewound?: boolean;
  readonly snapshot: PolicySnapshot;
}

const Count = z.int().min(0);
const Short = z.string().max(256);
/** `namespace/name` of a rule, the name of a boundary. */
const RuleName = z.string().max(320);

/** Decisions that are alike, counted. */
export const ReportRow = z.looseObject({
  verdict: z.enum(["allow", "deny"]),
  reason: Short,
  would_be: Short.optional(),
  /** As in the record. */
  rule: RuleName.optional(),
  entry: Count.optional(),
  nearest: RuleName.optional(),
  name: z.string().max(253).optional(),
  /** Of a destination without a name that could be one; of a refusal with one, the last address. */
  address: z.string().max(64).optional(),
  port: z.int().min(0).max(65_535),
  protocol: Short.optional(),
  count: Count.min(1),
  /** Of the last one: RFC 3339. */
  last: Short,
});
export type ReportRow = z.output<typeof ReportRow>;

export const SidecarLine = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("hello"),
    version: Short,
    /** The snapshot schemas it understands. */
    schemas: z.array(z.int()).min(1).max(16),
    /** What it has, from before. */
    have: z.looseObject({ revision: Revision, basis: BasisText }).optional(),
  }),
  z.looseObject({ type: z.literal("applied"), revision: Revision }),
  z.looseObject({
    type: z.literal("rejected"),
    revision: Revision,
    problem: z.string().max(4_096),
  }),
  /** The kubelet has replaced the token. */
  z.looseObject({ type: z.literal("token"), token: z.string().max(16_384) }),
  /** What was decided since the last report. */
  z.looseObject({
    type: z.literal("report"),
    rows: z.array(ReportRow).max(DELIVERY_LIMITS.reportRows),
    /** Decisions that had no room in the rows. */
    others: z.looseObject({ allowed: Count, refused: Count }),
  }),
  z.looseObject({ type: z.literal("beat") }),
]);
export type SidecarLine = z.output<typeof SidecarLine>;
