import { INJECTION_LABEL } from "../admission/names.ts";
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
  /** Namespaces that the webhooks never cover: the installation's own. */
  readonly excluded: readonly string[];
  readonly log: Log;
  readonly times?: SweepTimes;
}

/** The chart's namespaceSelector leaves these out, whatever their label. */
const NEVER_COVERED = ["kube-system"];

/**
 * Looks through the pods of labelled namespaces, and writes an Event at each workload with pods that have no sidecar, an
 * old or a broken one, until the signal is given. For the leader alone. It changes nothing but events.
 */
export async function sweep(options: Sweep, signal: AbortSignal): Promise<void> {
  const { everyMs, lookMs } = options.times ?? SWEEP_TIMES;
  const told = logOnce(options.log);
  let swept: ReadonlyMap<string, Swept> = new Map();
  while (!signal.aborted) {
    const next = new Map<string, Swept>();
    try {
      for (const namespace of await labelledNamespaces(options)) {
        if (signal.aborted) return;
        const label = `${namespace.injection} ${namespace.labelledAtMs}`;
        const last = swept.get(namespace.name);
        const isDue = last?.label !== label || performance.now() - last.atMs >= everyMs;
        if (isDue) await sweepOne(namespace, options, signal);
        next.set(namespace.name, isDue ? { label, atMs: performance.now() } : last);
      }
      swept = next; // a namespace that is labelled no more is forgotten
      told.fine("sweeping goes on");
    } catch (error) {
      swept = new Map([...swept, ...next]);
      told.trouble(error, "warn");
    }
    await pause(lookMs, signal);
  }
}

interface Swept {
  readonly label: string;
  readonly atMs: number;
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

async function labelledNamespaces({ api, excluded }: Sweep): Promise<LabelledNamespace[]> {
  const { items } = await attempt("list", "namespaces", () =>
    api.core.listNamespace({ labelSelector: `${INJECTION_LABEL} in (enabled, all)` }),
  );
  return items.flatMap((item) => {
    const metadata = asObject(plain(item).metadata);
    const name = String(metadata.name);
    if ([...NEVER_COVERED, ...excluded].includes(name)) return [];
    const injection = asObject(metadata.labels)[INJECTION_LABEL] === "all" ? "all" : "enabled";
    return [
      { name, injection, labelledAtMs: writtenAt(metadata, "labels", INJECTION_LABEL) } as const,
    ];
  });
}
