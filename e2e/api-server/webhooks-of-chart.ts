import type { V1MutatingWebhook, V1ValidatingWebhook } from "@kubernetes/client-node";
import { the } from "../../scripts/chart/objects.ts";
import { rendered } from "../../scripts/chart/rendered.ts";

export interface WebhooksOfChart {
  readonly mutating: V1MutatingWebhook[];
  readonly validating: V1ValidatingWebhook[];
}

/** Who is to be called, and for which namespaces besides what the chart says of them. */
export interface Whom {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly label: { readonly key: string; readonly value: string };
  /** Whether to be asked about rules and boundaries, too: of boundaries it would be all of the cluster's. */
  readonly rules: boolean;
}

/** The chart's webhooks as an upgrade renders them, when nothing passes unseen; all that is tried of them is theirs. */
export function webhooksOfChart(whom: Whom): WebhooksOfChart {
  const objects = rendered({}, "--is-upgrade");
  return {
    mutating: the("MutatingWebhookConfiguration", objects).webhooks.map(calling(whom)),
    validating: the("ValidatingWebhookConfiguration", objects)
      .webhooks.filter(({ name }: V1ValidatingWebhook) => whom.rules || name !== RULES)
      .map(calling(whom)),
  };
}

const RULES = "rules.sallyport.dev";

const calling =
  ({ port, ca, label }: Whom) =>
  <T extends V1MutatingWebhook | V1ValidatingWebhook>(entry: T): T => ({
    ...entry,
    clientConfig: {
      url: `https://127.0.0.1:${port}${entry.clientConfig.service?.path}`,
      caBundle: Buffer.from(ca).toString("base64"),
    },
    namespaceSelector: {
      ...entry.namespaceSelector,
      matchExpressions: [
        ...(entry.namespaceSelector?.matchExpressions ?? []),
        { key: label.key, operator: "In", values: [label.value] },
      ],
    },
  });
