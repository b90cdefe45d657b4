import type { V1ValidatingWebhookConfiguration } from "@kubernetes/client-node";
import type { Log } from "../log.ts";
import { attempt } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { watchForever } from "./watch.ts";
import { isFinalGuard } from "./webhook-changes.ts";

/**
 * Whether the webhooks that look at final pods guard by now (`failurePolicy: Fail`): the leader lets them once those that
 * put the sidecar in have guarded for long enough (webhook-configurations.ts). Where that cannot be read, they do.
 */
export async function watchFinalGuard(
  api: KubernetesApi,
  name: string,
  log: Log,
  signal: AbortSignal,
): Promise<() => boolean> {
  const what = `ValidatingWebhookConfiguration ${name}`;
  let guards = true;
  const note = ({ webhooks = [] }: V1ValidatingWebhookConfiguration) => {
    guards = webhooks
      .filter((entry) => isFinalGuard(entry.name))
      .every(({ failurePolicy }) => failurePolicy === "Fail");
  };
  try {
    note(
      await attempt("get", what, () => api.admission.readValidatingWebhookConfiguration({ name })),
    );
  } catch (error) {
    log("warn", (error as Error).message);
  }
  void watchForever<V1ValidatingWebhookConfiguration>(
    {
      ...{ api, what, log, fieldSelector: `metadata.name=${name}` },
      path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
      onNews: (type, configuration) => {
        if (type !== "DELETED") note(configuration);
      },
    },
    signal,
  );
  return () => guards;
}
