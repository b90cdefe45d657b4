import type { Admission, JsonObject } from "./admission/admission.ts";
import type { PolicyControl } from "./admission/control.ts";
import { demandsOf } from "./admission/demands.ts";
import type { DrawIdentity } from "./admission/identity.ts";
import { optionsFor } from "./admission/network.ts";
import type { InjectionOptions } from "./admission/options.ts";
import { answerReview, decodeReview, type ReviewRequest } from "./admission/review.ts";
import type { Circumstances, Decision, Webhook } from "./decision.ts";
import type { Log } from "./log.ts";
import { mutatePod, mutateWorkload } from "./mutate.ts";
import type { Knowledge } from "./rules/knowledge.ts";
import { parseStrictJson } from "./strict-json.ts";
import { validate } from "./validate.ts";
import { validateRule } from "./validate-rule.ts";

export type { PolicyControl };

export interface WebhookOptions {
  readonly injection: InjectionOptions;
  readonly draw: DrawIdentity;
  /** The Pod Security level that a namespace enforces (its label), where somebody knows. */
  readonly podSecurityEnforced?: (namespace: string) => string | undefined;
  /** Do the webhooks insist on a sidecar by now? Absent: they do. */
  readonly finalPodsGuarded?: (() => boolean) | undefined;
  /** Absent where sidecars have their policy in their config. */
  readonly control?: () => PolicyControl | undefined;
  /** Absent where there can be none: without a cluster, or without their CRDs. */
  readonly boundariesOver?: Knowledge["boundariesOver"];
  /** Absent: what the installation says of the cluster is all. */
  readonly network?: Knowledge["network"];
  readonly log: Log;
  /** Counts what was answered. */
  readonly admitted?: (webhook: Webhook, verdict: string, seconds: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type Answer =
  | { readonly status: 200; readonly review: JsonObject }
  | { readonly status: 400; readonly text: string };

/** The story of a request: bytes → JSON → AdmissionReview → admission → AdmissionReview, and one line in the log. */
export function answer(
  body: Uint8Array,
  path: Pick<Circumstances, "webhook" | "injection">,
  {
    injection,
    draw,
    podSecurityEnforced,
    finalPodsGuarded,
    control,
    boundariesOver,
    network,
    log,
    admitted,
    now,
  }: WebhookOptions,
): Answer {
  const started = performance.now();
  const json = parseStrictJson(body);
  const asked = json instanceof Error ? json : decodeReview(json);
  if (asked instanceof Error) {
    log("warn", "not an AdmissionReview", { problem: asked.message.slice(0, 2_048) });
    return { status: 400, text: asked.message };
  }
  const podSecurity = podSecurityEnforced?.(asked.namespace);
  const demands =
    path.webhook === "rules"
      ? undefined
      : boundariesOver && demandsOf(boundariesOver(asked.namespace));
  const circumstances = {
    ...path,
    podSecurity,
    guarded: finalPodsGuarded?.() ?? true,
    ...(boundariesOver && { boundariesOver }),
    ...(demands && { demands }),
    options: optionsFor(injection, demands, network?.()),
    control: control?.(),
    draw,
    now: now(),
  };
  const whomIsUnknown = control !== undefined && circumstances.control === undefined;
  const { admission, verdict, reason } =
    (whomIsUnknown && NOT_YET[path.webhook]) || attempt(asked, circumstances, log);
  const review = answerReview(asked.uid, admission);
  const ms = performance.now() - started;
  admitted?.(path.webhook, verdict, ms / 1_000);
  log(verdict === "failed" ? "error" : "info", "admission", {
    ...identityOf(asked),
    ...path,
    verdict,
    ...(reason !== undefined && { reason: reason.slice(0, 2_048) }),
    ...(admission.warnings.length > 0 && { warnings: admission.warnings.length }),
    ms: Math.round(ms * 100) / 100,
  });
  return { status: 200, review };
}

const DECIDE: Readonly<
  Record<Webhook, (asked: ReviewRequest, circumstances: Circumstances) => Decision>
> = { pods: mutatePod, workloads: mutateWorkload, "final-pods": validate, rules: validateRule };

interface Attempted {
  readonly admission: Admission;
  readonly verdict: Decision["verdict"] | "failed";
  readonly reason?: string;
}

/** A sidecar that is not told where its policy comes from would go by none of the cluster's, for as long as its pod lives. */
const REFUSED_FOR_NOW = {
  admission: {
    allowed: false,
    message:
      "Sallyport: this controller does not know yet whom sidecars are to trust for their policy (its /readyz says why); try again once it does",
    warnings: [],
  },
  verdict: "refused",
  reason: "whom sidecars are to trust is not known yet",
} as const satisfies Attempted;
const NOT_YET: Readonly<Partial<Record<Webhook, Attempted>>> = {
  pods: REFUSED_FOR_NOW,
  "final-pods": REFUSED_FOR_NOW,
};

/** A fault of ours lets no pod past without its sidecar, and stands in no workload's way. */
function attempt(asked: ReviewRequest, circumstances: Circumstances, log: Log): Attempted {
  try {
    return DECIDE[circumstances.webhook](asked, circumstances);
  } catch (error) {
    const { message, stack } = error as Error;
    log("error", "admission failed", { uid: asked.uid, error: stack ?? message });
    const text = `Sallyport could not judge this ${asked.kind.kind}: a fault of its own, which the controller's log has under uid ${asked.uid}`;
    return {
      admission:
        circumstances.webhook === "workloads"
          ? { allowed: true, patch: [], warnings: [text] }
          : { allowed: false, message: text, warnings: [] },
      verdict: "failed",
      reason: message,
    };
  }
}

/** Whose admission it was, never what is in the object: it may hold secrets. */
function identityOf({ object, ...asked }: ReviewRequest): Record<string, unknown> {
  const metadata = object?.metadata as JsonObject | null | undefined;
  const name = asked.name !== "" ? { name: asked.name } : { generateName: metadata?.generateName };
  const who = {
    uid: asked.uid,
    operation: asked.operation,
    kind: asked.kind.kind,
    namespace: asked.namespace,
    ...name,
  };
  const texts = Object.entries(who).filter((entry) => typeof entry[1] === "string");
  return {
    // No name of the API's is longer.
    ...Object.fromEntries(texts.map(([key, value]) => [key, String(value).slice(0, 253)])),
    ...(asked.dryRun && { dryRun: true }),
  };
}
