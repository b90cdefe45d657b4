import type { Admission, NamespaceInjection } from "./admission/admission.ts";
import type { PolicyControl } from "./admission/control.ts";
import type { Demands } from "./admission/demands.ts";
import type { DrawIdentity } from "./admission/identity.ts";
import type { InjectionOptions } from "./admission/options.ts";
import type { ReviewRequest } from "./admission/review.ts";
import type { Knowledge } from "./rules/knowledge.ts";

/** `pods` and `workloads` change what they are asked about, `final-pods` and `rules` say yes or no. */
export type Webhook = "pods" | "workloads" | "final-pods" | "rules";

/** What admission depends on besides the request. */
export interface Circumstances {
  readonly webhook: Webhook;
  /** Of the namespace; rules are looked at in all of them alike. */
  readonly injection: NamespaceInjection;
  /** The Pod Security level that the request's namespace enforces, where that is known. */
  readonly podSecurity?: string | undefined;
  /** False while pods may still come past the webhook that puts the sidecar in: Sallyport is being installed. */
  readonly guarded?: boolean | undefined;
  /** Of the boundaries over the request's namespace. Absent: none. */
  readonly demands?: Demands | undefined;
  /** Absent where there can be none; its answer is undefined until they are known. */
  readonly boundariesOver?: Knowledge["boundariesOver"] | undefined;
  readonly options: InjectionOptions;
  /** Absent where sidecars have their policy in their config. */
  readonly control?: PolicyControl | undefined;
  readonly draw: DrawIdentity;
  readonly now: number;
}

export interface Decision {
  readonly admission: Admission;
  readonly verdict: "changed" | "unchanged" | "refused" | "ignored";
  /** Why, for the log. */
  readonly reason?: string;
}

export function decided(admission: Admission, unchanged?: string): Decision {
  if (!admission.allowed) return { admission, verdict: "refused", reason: admission.message };
  if (admission.patch.length > 0) return { admission, verdict: "changed" };
  return { admission, verdict: "unchanged", ...(unchanged !== undefined && { reason: unchanged }) };
}

export function ignored(reason: string): Decision {
  return { admission: { allowed: true, patch: [], warnings: [] }, verdict: "ignored", reason };
}

export function isPod({ kind }: ReviewRequest): boolean {
  return kind.group === "" && kind.version === "v1" && kind.kind === "Pod";
}
