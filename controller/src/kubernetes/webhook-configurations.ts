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
import { changesOf, openGuards, type WebhookEntry } from "./webhook-changes.ts";

export interface WebhookConfigurations {
  /**
   * Makes both objects say so: the authorities (PEM; absent: somebody else's business) in each entry, and the guards guard as
   * soon as they can. True when that is how they are; an object that does not exist misleads nobody.
   */
  keep(authorities: string | undefined): Promise<boolean>;
  /** Tells when one of them has become another, until the signal is given. */
  watch(onChange: () => void, signal: AbortSignal): void;
}

type Configuration = V1MutatingWebhookConfiguration | V1ValidatingWebhookConfiguration;

/**
 * A guard that is new does not guard before it answers where its entry sends the API server; after that long it guards all
 * the same: pods that nobody looked at are what it is there against.
 */
const OPEN_AT_MOST_MS = 60_000;

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
  const kept = (Object.keys(KINDS) as Kind[]).map((kind) => keeperOf(api, kind, name, log));
  return {
    keep: async (authorities) => {
      const good = await Promise.all(kept.map((one) => one.keep(authorities)));
      return good.every(Boolean);
    },
    watch: (onChange, signal) => {
      for (const one of kept) one.watch(onChange, signal);
    },
  };
}

function keeperOf(api: KubernetesApi, kind: Kind, name: string, log: Log): WebhookConfigurations {
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

  /** The guards of which one does not guard: may they now? */
  const mayGuard = async (found: Configuration): Promise<boolean> => {
    const open = openGuards(entriesOf(found));
    if (open.length === 0) {
      openSince = undefined;
      return true;
    }
    openSince ??= performance.now();
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
    keep: async (authorities) => {
      try {
        const found = await attempt("get", what, () => read(api, name));
        const carrying = await change(found, { authorities, guard: false });
        const guard = await mayGuard(carrying);
        await change(carrying, { authorities, guard });
        if (guard) told.fine(`${what} is as it should be again`);
        return true;
      } catch (error) {
        const missing = hasStatus(error, 404);
        // Changed by somebody else meanwhile: the watch says so, and what it has become is looked at again.
        if (!hasStatus(error, 409)) told.trouble(error, missing ? "warn" : "error");
        return missing;
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
