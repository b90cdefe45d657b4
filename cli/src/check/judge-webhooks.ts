import type { JsonObject, NamespaceInjection } from "@sallyport/controller/admission/admission";
import { INJECTION_LABEL, NEVER_COVERED } from "@sallyport/controller/admission/names";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { GUARDS } from "@sallyport/controller/kubernetes/webhook-changes";
import { known, type Read } from "../kubernetes/read.ts";
import { type InstallFacts, NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";

/** The chart's webhooks. */
const WEBHOOKS = {
  mutating: ["enabled.pods", "all.pods", "enabled.workloads", "all.workloads"],
  validating: ["enabled.final-pods", "all.final-pods", "rules"],
} as const;
const KINDS = {
  mutating: "mutatingwebhookconfiguration",
  validating: "validatingwebhookconfiguration",
} as const;

const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** An entry of a configuration that is there. */
export interface Registered {
  readonly name: string;
  readonly entry: JsonObject;
}

export function registeredWebhooks({ mutating, validating }: InstallFacts): Registered[] {
  return [mutating, validating].flatMap(entriesOf);
}

/** Whether the webhooks are there, insist where they must, and are called for the right namespaces. */
export function judgeWebhooks(facts: InstallFacts): Finding[] {
  const reinstall = `install again: helm upgrade --install sallyport charts/sallyport -n ${facts.namespace}`;
  return (["mutating", "validating"] as const).flatMap((kind) => {
    const read = facts[kind];
    if ("unknown" in read) return [];
    const configuration = `${KINDS[kind]}/${NAMES.webhooks}`;
    const found = new Map(entriesOf(read).map(({ name, entry }) => [name, entry]));
    return WEBHOOKS[kind].flatMap((short): Finding[] => {
      const name = `${short}.sallyport.dev`;
      const entry = found.get(name);
      const subject = `webhook/${name}`;
      if (!entry)
        return [
          {
            ...{ code: "webhook_missing", subject },
            message: `${configuration} has no such webhook: ${WITHOUT[short.split(".").at(-1) ?? ""]}`,
            remedy: reinstall,
          },
        ];
      return [
        ...policyFindings(subject, name, entry, configuration),
        // Rules are looked at in every namespace.
        ...(short === "rules"
          ? []
          : selectorFindings(subject, entry, short.startsWith("all.") ? "all" : "enabled", facts, {
              remedy: reinstall,
              message: configuration,
            })),
      ];
    });
  });
}

/** What is without it. */
const WITHOUT: Readonly<Record<string, string>> = {
  pods: "its pods are given no sidecar",
  workloads: "annotations on workloads are not carried to their pods",
  "final-pods": "nobody looks at pods after other webhooks have changed them",
  rules: "rules that cannot be used are taken, and nobody says so to whoever writes them",
};

function policyFindings(
  subject: string,
  name: string,
  entry: JsonObject,
  configuration: string,
): Finding[] {
  const policy = entry.failurePolicy ?? "Fail";
  if (GUARDS.includes(name))
    return policy === "Fail"
      ? []
      : [
          {
            ...{ code: "webhook_lets_pass", subject },
            message: `its failurePolicy is ${policy}: ${name.startsWith("rules.") ? "a rule that cannot be used is taken while no controller answers" : "a pod that is created while no controller answers starts without a sidecar"}`,
            remedy: `the leading controller sets it to Fail within half a minute of when it is reached; if it stays: kubectl get ${configuration} -o yaml, and the controller's log`,
          },
        ];
  return policy === "Ignore"
    ? []
    : [
        {
          ...{ code: "workload_webhook_refuses", subject },
          message: `its failurePolicy is ${policy}: while no controller answers, workloads of labelled namespaces cannot be changed`,
          remedy: `set it to Ignore: kubectl edit ${configuration}`,
        },
      ];
}

function selectorFindings(
  subject: string,
  entry: JsonObject,
  injection: NamespaceInjection,
  { namespace }: InstallFacts,
  { remedy, message }: Pick<Finding, "remedy" | "message">,
): Finding[] {
  const { matchExpressions, matchLabels } = asObject(entry.namespaceSelector);
  const expressions = ((matchExpressions ?? []) as readonly JsonObject[]).map(asObject);
  const values = (key: string, operator: string) =>
    expressions
      .filter((expression) => expression.key === key && expression.operator === operator)
      .flatMap((expression) => (expression.values ?? []) as readonly string[]);
  const label = asObject(matchLabels)[INJECTION_LABEL];
  const chosen = [...values(INJECTION_LABEL, "In"), ...(label === undefined ? [] : [label])];
  const missing = [...NEVER_COVERED, namespace].filter(
    (name) => !values(NAMESPACE_NAME, "NotIn").includes(name),
  );
  const said = [
    ...(chosen.join() === injection
      ? []
      : [`it is not called for namespaces labelled ${INJECTION_LABEL}=${injection} alone`]),
    ...(missing.length > 0
      ? [`it may be called for ${missing.join(" and ")}: the cluster could not mend itself`]
      : []),
  ];
  return said.map((problem) => ({
    ...{ code: "selector_changed", subject },
    message: `${problem} (namespaceSelector in ${message})`,
    remedy,
  }));
}

function entriesOf(read: Read<JsonObject>): Registered[] {
  const list = asObject(known(read)).webhooks;
  const entries = Array.isArray(list) ? list.map(asObject) : [];
  return entries.map((entry) => ({ name: String(entry.name), entry }));
}
