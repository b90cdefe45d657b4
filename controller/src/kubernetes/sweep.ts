import type { Demands } from "../admission/demands.ts";
import { INJECTION_LABEL, NEVER_COVERED } from "../admission/names.ts";
import { asObject } from "../admission/workload-template.ts";
import type { Installation } from "../assessment/assess.ts";
import { noticesOf } from "../assessment/notice.ts";
import { writtenAt } from "../assessment/written.ts";
import type { Log } from "../log.ts";
import { attempt } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { giveNotice } from "./events.ts";
import { logOnce } from "./log-once.ts";
import { pause } from "./pause.ts";
import { concernsOf, type LabelledNamespace } from "./sweep-namespace.ts";
import { plain } from "./sweep-plain.ts";

export const SWEEP_TIMES = {
  everyMs: 600_000, // each namespace
  lookMs: 10_000, // how soon a label that was written is noticed
} as const;
export type SweepTimes = { readonly [name in keyof typeof SWEEP_TIMES]: number };

export interface Sweep {
  readonly api: KubernetesApi;
  readonly installation: Installation;
  /** What boundaries demand of a namespace's pods; absent where there are none. */
  readonly demandsOver?: ((namespace: string) => Demands) | undefined;
  /** Namespaces that the webhooks never cover: the installation's own. */
  readonly excluded: readonly string[];
  readonly log: Log;
  readonly times?: SweepTimes;
}

/**
 * Looks through the pods of labelled namespaces, and writes an Event at each workload with pods that have no sidecar, an
 * old or a broken one, until the signal is given. For the leader alone. It changes nothing but events.
 */
export async function sweep(options: Sweep, signal: AbortSignal): Promise<void> {
  const { lookMs } = options.times ?? SWEEP_TIMES;
  const told = logOnce(options.log);
  const trouble = (error: unknown) => told.trouble(error, "warn");
  let swept: ReadonlyMap<string, Swept> = new Map();
  while (!signal.aborted) {
    try {
      const next = new Map<string, Swept>();
      for (const namespace of await labelledNamespaces(options)) {
        if (signal.aborted) return;
        const last = swept.get(namespace.name);
        next.set(namespace.name, await sweepWhenDue(namespace, last, options, trouble, signal));
      }
      swept = next; // a namespace that is labelled no more is forgotten
      if ([...next.values()].every(({ failures }) => failures === 0)) told.fine("sweeping goes on");
    } catch (error) {
      trouble(error);
    }
    await pause(lookMs, signal);
  }
}

interface Swept {
  readonly label: string;
  readonly dueAtMs: number;
  /** How often in turn it could not be gone through. */
  readonly failures: number;
}

/** What is wrong with one namespace keeps nobody from the others: it is tried again less and less often. */
async function sweepWhenDue(
  namespace: LabelledNamespace,
  last: Swept | undefined,
  options: Sweep,
  trouble: (error: unknown) => void,
  signal: AbortSignal,
): Promise<Swept> {
  const { everyMs, lookMs } = options.times ?? SWEEP_TIMES;
  const { injection, labelledAtMs, demands } = namespace;
  const label = `${injection} ${labelledAtMs} ${demands?.requiredBy.join(" ")}`;
  if (last?.label === label && performance.now() < last.dueAtMs) return last;
  try {
    await sweepOne(namespace, options, signal);
    return { label, dueAtMs: performance.now() + everyMs, failures: 0 };
  } catch (error) {
    trouble(error);
    const failures = last?.label === label ? last.failures + 1 : 1;
    const waitMs = Math.min(everyMs, lookMs * 2 ** failures);
    return { label, dueAtMs: performance.now() + waitMs, failures };
  }
}

async function sweepOne(
  namespace: LabelledNamespace,
  { api, installation, log }: Sweep,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const groups = await concernsOf(api, namespace, installation, signal);
  let written = 0;
  for (const notice of noticesOf(groups)) {
    if (signal.aborted) return;
    if (await giveNotice(api, notice, Date.now())) written++;
  }
  log("debug", "swept", {
    namespace: namespace.name,
    pods: groups.reduce((sum, { pods }) => sum + pods, 0),
    events: written,
    ms: Math.round(performance.now() - began),
  });
}

async function labelledNamespaces({
  api,
  excluded,
  demandsOver,
}: Sweep): Promise<LabelledNamespace[]> {
  const { items } = await attempt("list", "namespaces", () =>
    api.core.listNamespace({ labelSelector: `${INJECTION_LABEL} in (enabled, all)` }),
  );
  return items.flatMap((item) => {
    const metadata = asObject(plain(item).metadata);
    const name = String(metadata.name);
    if ([...NEVER_COVERED, ...excluded].includes(name)) return [];
    // It takes no new object any more, an Event neither, and may stay so for months.
    if (item.status?.phase === "Terminating") return [];
    const injection = asObject(metadata.labels)[INJECTION_LABEL] === "all" ? "all" : "enabled";
    const labelledAtMs = writtenAt(metadata, "labels", INJECTION_LABEL);
    return [{ name, injection, labelledAtMs, demands: demandsOver?.(name) } as const];
  });
}
