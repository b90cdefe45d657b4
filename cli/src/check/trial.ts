import type { JsonObject, NamespaceInjection } from "@sallyport/controller/admission/admission";
import { INJECT, INJECTION_LABEL, PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { statusOf } from "@sallyport/controller/admission/status";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { ApiRefusal, type Rest } from "../kubernetes/rest.ts";
import { NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** What became of a pod that was created for trial only: the API server calls its webhooks, and stores nothing. */
export interface Trial {
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  readonly outcome:
    | "injected"
    | "not_injected"
    | "not_answering"
    | "refused"
    | "not_permitted"
    | "failed";
  readonly ms: number;
  /** The version of the controller that answered. */
  readonly version?: string;
  /** What the API server said. */
  readonly said?: string;
}

export interface Place {
  readonly namespace: string;
  readonly injection: NamespaceInjection;
}

/** One for each webhook that the labels call; the rest are the same ones. */
export function placesToTry(labelled: readonly Place[]): Place[] {
  return (["enabled", "all"] as const).flatMap(
    (injection) => labelled.find((place) => place.injection === injection) ?? [],
  );
}

export async function tryInjection(rest: Rest, place: Place): Promise<Trial> {
  const { namespace } = place;
  const began = performance.now();
  const done = (outcome: Trial["outcome"], more: Pick<Trial, "version" | "said"> = {}): Trial => ({
    ...place,
    outcome,
    ms: Math.round(performance.now() - began),
    ...more,
  });
  try {
    if (!(await mayCreatePods(rest, namespace))) return done("not_permitted");
    const pod = await rest.post(`/api/v1/namespaces/${namespace}/pods`, TRIAL_POD, {
      dryRun: "All",
    });
    const status = statusOf(pod);
    return hasSidecar(pod)
      ? done("injected", status && { version: status.version })
      : done("not_injected");
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    return done(outcomeOf(error), { said: error.message });
  }
}

/** That a webhook could not be asked comes as HTTP 500 too (k8s.io/apiserver, admission/plugin/webhook). */
function outcomeOf({ status, message }: ApiRefusal): Trial["outcome"] {
  const [, webhook] = /failed calling webhook "([^"]+)"/.exec(message) ?? [];
  if (webhook?.endsWith(".sallyport.dev")) return "not_answering";
  return webhook === undefined && (status >= 500 || status === 429) ? "failed" : "refused";
}

const TRIAL_POD: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "sallyport-check-", annotations: { [INJECT]: "true" } },
  spec: {
    containers: [
      {
        name: "trial",
        image: "sallyport.dev/never-pulled",
        resources: {
          requests: { cpu: "1m", memory: "1Mi" },
          limits: { cpu: "1m", memory: "1Mi" },
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          runAsNonRoot: true,
          seccompProfile: { type: "RuntimeDefault" },
        },
      },
    ],
  },
};

function hasSidecar(pod: JsonObject): boolean {
  const { initContainers, containers } = asObject(pod.spec);
  return [initContainers, containers].some(
    (list) => Array.isArray(list) && list.some((one) => asObject(one).name === PROXY_CONTAINER),
  );
}

async function mayCreatePods(rest: Rest, namespace: string): Promise<boolean> {
  const review = await rest.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace, verb: "create", resource: "pods" } },
  });
  return asObject(review.status).allowed === true;
}

/** `labelled`: how many namespaces could have been tried; undefined where nobody can tell. */
export function judgeTrials(
  trials: readonly Trial[],
  labelled: number | undefined,
  install: string,
): Finding[] {
  if (labelled === 0)
    return [
      {
        ...{ code: "trial_impossible", subject: "admission" },
        message: "no namespace is labelled, so no pod could be tried",
        remedy: `kubectl label namespace NAME ${INJECTION_LABEL}=enabled`,
      },
    ];
  return trials.flatMap((trial) => JUDGED[trial.outcome](trial, install) ?? []);
}

const JUDGED: {
  readonly [outcome in Trial["outcome"]]: (trial: Trial, install: string) => Finding | undefined;
} = {
  injected: () => undefined,
  not_injected: ({ namespace, injection }, install) => ({
    code: "trial_not_injected",
    subject: `namespace/${namespace}`,
    message: `a pod created there for trial was given no sidecar: ${injection}.pods.sallyport.dev was not called, or did nothing`,
    remedy: `see whether other findings say why; the controller logs each call: kubectl logs deployment/${NAMES.deployment} -n ${install}`,
  }),
  not_answering: ({ namespace, said = "" }) => ({
    code: "webhook_not_answering",
    subject: `namespace/${namespace}`,
    message: `the API server cannot ask the webhook, and so creates no pod there: ${said}`,
    remedy: "see that the controller runs, and that the API server reaches its Service on port 443",
  }),
  refused: ({ namespace, said = "" }) => ({
    code: "trial_refused",
    subject: `namespace/${namespace}`,
    message: `a pod created there for trial was refused: ${said}`,
    remedy: "whether pods are injected there shows with a pod that is not refused",
  }),
  failed: ({ namespace, said = "" }) => ({
    code: "cannot_tell",
    subject: `namespace/${namespace}`,
    message: unread("create a pod there for trial", { unknown: said, forbidden: false }),
    remedy: TRY_AGAIN,
  }),
  not_permitted: ({ namespace }) => ({
    code: "trial_impossible",
    subject: `namespace/${namespace}`,
    message: "you may not create pods there, so none could be tried",
    remedy: `as somebody who may: sallyport check; or kubectl create --dry-run=server -n ${namespace} -f POD.yaml -o yaml`,
  }),
};
