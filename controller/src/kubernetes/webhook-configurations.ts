import {
  type KubernetesObject,
  PatchStrategy,
  setHeaderOptions,
  type V1MutatingWebhookConfiguration,
  type V1ValidatingWebhookConfiguration,
} from "@kubernetes/client-node";
import type { Log } from "../log.ts";
import { attempt, hasStatus } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { logOnce } from "./log-once.ts";
import { watchForever } from "./watch.ts";
import { webhookAnswers } from "./webhook-answers.ts";
import { changesOf, longestCallMs, openGuards, type WebhookEntry } from "./webhook-changes.ts";

export interface WebhookConfigurations {
  /**
   * Makes both objects say so: the authorities (PEM; absent: somebody else's business) in each entry, and the guards guard as
   * soon as they can.
   */
  keep(authorities: string | undefined): Promise<Kept>;
  /** Tells when one of them has become another, until the signal is given. */
  watch(onChange: () => void, signal: AbortSignal): void;
}

/** How far it is. An object that does not exist misleads nobody: of it, both are true. */
export interface Kept {
  /** The authorities are there. */
  readonly trusted: boolean;
  readonly guarding: boolean;
}

type Configuration = V1MutatingWebhookConfiguration | V1ValidatingWebhookConfiguration;

/**
 * A guard that is new does not guard before it answers where its entry sends the API server; after that long it guards all
 * the same: pods that nobody looked at are what it is there against.
 */
const OPEN_AT_MOST_MS = 60_000;

/**
 * Whoever refuses pods without a sidecar guards after those that put it in: later by the time that a call of theirs may have
 * taken which failed and let a pod pass, and by this, for API servers to see what has changed.
 */
const SEEN_AFTER_MS = 5_000;

const KINDS = {
  MutatingWebhookConfiguration: {
    path: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    read: (api: KubernetesApi, name: string): Promise<Configuration> =>
      api.admission.readMutatingWebhookConfiguration({ name }),
    patch: (api: KubernetesApi, name: string, body: unknown): Promise<Configuration> =>
      api.admission.patchMutatingWebhookConfiguration({ name, body }, JSON_PATCH),
  },
  ValidatingWebhookConfiguration: {
    path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    read: (api: KubernetesApi, name: string): Promise<Configuration> =>
      api.admission.readValidatingWebhookConfiguration({ name }),
    patch: (api: KubernetesApi, name: string, body: unknown): Promise<Configuration> =>
      api.admission.patchValidatingWebhookConfiguration({ name, body }, JSON_PATCH),
  },
} as const;
type Kind = keyof typeof KINDS;
const JSON_PATCH = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

export function webhookConfigurations(
  api: KubernetesApi,
  name: string,
  log: Log,
): WebhookConfigurations {
  const mutating = keeperOf(api, "MutatingWebhookConfiguration", name, log);
  const validating = keeperOf(api, "ValidatingWebhookConfiguration", name, log);
  let insistingSince: number | undefined;
  return {
    keep: async (authorities) => {
      const first = await mutating.keep(authorities, true);
      insistingSince = first.guarding ? (insistingSince ?? performance.now()) : undefined;
      const settled =
        insistingSince !== undefined &&
        performance.now() - insistingSince >= first.mayTakeMs + SEEN_AFTER_MS;
      const then = await validating.keep(authorities, settled);
      return {
        trusted: first.trusted && then.trusted,
        guarding: first.guarding && then.guarding,
      };
    },
    watch: (onChange, signal) => {
      for (const one of [mutating, validating]) one.watch(onChange, signal);
    },
  };
}

interface Keeper extends Pick<WebhookConfigurations, "watch"> {
  /** The guards guard once they may and answer. */
  keep(
    authorities: string | undefined,
    may: boolean,
  ): Promise<Kept & { readonly mayTakeMs: number }>;
}

function keeperOf(api: KubernetesApi, kind: Kind, name: string, log: Log): Keeper {
  const what = `${kind} ${name}`;
  const { path, read, patch } = KINDS[kind];
  const told = logOnce(log);
  let openSince: number | undefined;

  const change = async (found: Configuration, wanted: Parameters<typeof changesOf>[2]) => {
    const version = found.metadata?.resourceVersion ?? "";
    const changes = changesOf(entriesOf(found), version, wanted);
    if (changes.length === 0) return found;
    const changed = await attempt("patch", what, () => patch(api, name, changes));
    log("info", `${what} changed`, {
      fields: changes.slice(1).map((each) => each.path),
    });
    return changed;
  };

  /** The guards of which one does not guard: can they now? */
  const canGuard = async (found: Configuration, may: boolean): Promise<boolean> => {
    const open = openGuards(entriesOf(found));
    if (open.length === 0) {
      openSince = undefined;
      return true;
    }
    openSince ??= performance.now();
    if (!may) return false;
    const problems = (await Promise.all(open.map(webhookAnswers))).filter(
      (problem) => problem !== undefined,
    );
    if (problems.length === 0) return true;
    const tooLong = performance.now() - openSince >= OPEN_AT_MOST_MS;
    const then = tooLong ? "it guards from now on all the same" : "it lets pods pass until it does";
    told.trouble(new Error(`${what}: ${problems[0]}: ${then}`), "warn");
    return tooLong;
  };

  return {
    keep: async (authorities, may) => {
      try {
        const found = await attempt("get", what, () => read(api, name));
        const carrying = await change(found, { authorities, guard: false });
        const guard = await canGuard(carrying, may);
        await change(carrying, { authorities, guard });
        if (guard) told.fine(`${what} is as it should be again`);
        return { trusted: true, guarding: guard, mayTakeMs: longestCallMs(entriesOf(found)) };
      } catch (error) {
        const missing = hasStatus(error, 404);
        // Changed by somebody else meanwhile: the watch says so, and what it has become is looked at again.
        if (!hasStatus(error, 409)) told.trouble(error, missing ? "warn" : "error");
        return { trusted: missing, guarding: missing, mayTakeMs: 0 };
      }
    },
    watch: (onChange, signal) => {
      void watchForever<KubernetesObject>(
        { api, what, path, fieldSelector: `metadata.name=${name}`, log, onNews: onChange },
        signal,
      );
    },
  };
}

function entriesOf({ webhooks }: Configuration): readonly WebhookEntry[] {
  return (webhooks ?? []) as readonly WebhookEntry[];
}
