import type { PatchOperation } from "../admission/admission.ts";

/** What of an entry of a Mutating- or ValidatingWebhookConfiguration is looked at. */
export interface WebhookEntry {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly timeoutSeconds?: number;
  readonly clientConfig: {
    /** Base64 of PEM. */
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: {
      readonly name: string;
      readonly namespace: string;
      readonly port?: number;
    };
  };
}

/**
 * The guards: where they cannot be asked, the pod, the rule or the boundary is refused. Everything else (the workload
 * webhooks) is a convenience and lets pass; those entries' failurePolicy is left as it is.
 */
export const GUARDS: readonly string[] = [
  "enabled.pods.sallyport.dev",
  "all.pods.sallyport.dev",
  "enabled.final-pods.sallyport.dev",
  "all.final-pods.sallyport.dev",
  "rules.sallyport.dev",
];

export interface Wanted {
  /** PEM; absent: somebody else keeps the caBundle. */
  readonly authorities?: string | undefined;
  /** The guards are to guard. */
  readonly guard: boolean;
}

/** Guards that would let a pod pass. */
export function openGuards(webhooks: readonly WebhookEntry[]): readonly WebhookEntry[] {
  return webhooks.filter(({ name, failurePolicy }) => isGuard(name) && failurePolicy !== "Fail");
}

/** How long a call of a guard may take that was begun before it guards. */
export function longestCallMs(webhooks: readonly WebhookEntry[]): number {
  const guards = webhooks.filter(({ name }) => isGuard(name));
  return Math.max(0, ...guards.map((each) => each.timeoutSeconds ?? DEFAULT_TIMEOUT)) * 1_000;
}

/** The API's, in seconds. */
const DEFAULT_TIMEOUT = 10;

/**
 * Nothing where the object already says what is wanted. Each entry is named before it is changed, and the object's
 * version is the one that was read, so that an edit made meanwhile is never lost.
 */
export function changesOf(
  webhooks: readonly WebhookEntry[],
  resourceVersion: string,
  { authorities, guard }: Wanted,
): PatchOperation[] {
  const caBundle = authorities && Buffer.from(authorities).toString("base64");
  const changes = webhooks.flatMap(({ name, failurePolicy, clientConfig }, index) => {
    const path = `/webhooks/${index}`;
    const wrong: PatchOperation[] = [];
    if (caBundle !== undefined && clientConfig.caBundle !== caBundle)
      wrong.push({ op: "add", path: `${path}/clientConfig/caBundle`, value: caBundle });
    if (guard && isGuard(name) && failurePolicy !== "Fail")
      wrong.push({ op: "add", path: `${path}/failurePolicy`, value: "Fail" });
    return wrong;
  });
  if (changes.length === 0) return [];
  // The API server answers 409 Conflict to a patch that names another version than the present one.
  return [{ op: "add", path: "/metadata/resourceVersion", value: resourceVersion }, ...changes];
}

/** Of those that judge pods when every mutating webhook has been called. */
export function isFinalGuard(name: string): boolean {
  return isGuard(name) && name.endsWith(".final-pods.sallyport.dev");
}

function isGuard(name: string): boolean {
  return GUARDS.includes(name);
}
