import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { Demands } from "@sallyport/controller/admission/demands";
import { INJECTION_LABEL, NEVER_COVERED } from "@sallyport/controller/admission/names";
import { podSecurityWarning } from "@sallyport/controller/admission/pod-security";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { writtenAt } from "@sallyport/controller/assessment/written";
import { known, type Read, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import type { Finding } from "./findings.ts";
import { all } from "./gather.ts";
import type { Place } from "./trial.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** A namespace whose pods the webhooks see. */
export interface Labelled extends Place {
  readonly labelledAtMs: number | undefined;
  /** What boundaries demand of them. */
  readonly demands?: Demands | undefined;
}

/** Those that are named, or else all: as the API server stores them. */
export async function readNamespaces(
  rest: Rest,
  names: readonly string[],
): Promise<readonly Read<JsonObject>[]> {
  if (names.length > 0)
    return Promise.all(names.map((name) => reading(rest.get(`/api/v1/namespaces/${name}`))));
  const listed = await reading(all(rest.list("/api/v1/namespaces")));
  return "value" in listed ? listed.value.map((value) => ({ value })) : [listed];
}

/** Which of them are labelled, and what their labels will not do. */
export function judgeNamespaces(
  reads: readonly Read<JsonObject>[],
  names: readonly string[],
  install: string,
): { readonly labelled: readonly Labelled[]; readonly findings: readonly Finding[] } {
  const labelled: Labelled[] = [];
  const findings: Finding[] = [];
  reads.forEach((read, i) => {
    const namespace = known(read);
    const name = String(asObject(namespace?.metadata).name ?? names[i] ?? "");
    const subject = name === "" ? "namespaces" : `namespace/${name}`;
    if ("absent" in read)
      findings.push({
        ...{ code: "namespace_not_labelled", subject },
        message: "there is no such namespace",
        remedy: "kubectl get namespaces",
      });
    if ("unknown" in read)
      findings.push({
        ...{ code: "cannot_tell", subject },
        message: unread(name === "" ? "list namespaces" : "look at it", read),
        remedy: !read.forbidden
          ? TRY_AGAIN
          : name === ""
            ? "name those that you may see: --namespace NAME"
            : "ask for get on it",
      });
    if (!namespace) return;
    const metadata = asObject(namespace.metadata);
    const labels = asObject(metadata.labels);
    const label = labels[INJECTION_LABEL];
    if (label === undefined || label === "disabled") {
      if (names.includes(name))
        findings.push({
          ...{ code: "namespace_not_labelled", subject },
          message: `it has no label ${INJECTION_LABEL}: no pod of it is looked at`,
          remedy: `kubectl label namespace ${name} ${INJECTION_LABEL}=enabled`,
        });
    } else if (label !== "enabled" && label !== "all")
      findings.push({
        ...{ code: "label_unknown", subject },
        message: `its label ${INJECTION_LABEL}: "${label}" means nothing: no pod of it is looked at`,
        remedy: `kubectl label --overwrite namespace ${name} ${INJECTION_LABEL}=enabled (or all, or disabled)`,
      });
    else if ([...NEVER_COVERED, install].includes(name))
      findings.push({
        ...{ code: "namespace_excluded", subject },
        message: `its label ${INJECTION_LABEL} has no effect: the webhooks never cover ${NEVER_COVERED.join(", ")} and their own namespace`,
        remedy: `kubectl label namespace ${name} ${INJECTION_LABEL}-`,
      });
    else {
      const labelledAtMs = writtenAt(metadata, "labels", INJECTION_LABEL);
      labelled.push({ namespace: name, injection: label, labelledAtMs });
      findings.push(...podSecurityFindings(labels, subject));
    }
  });
  return { labelled, findings };
}

function podSecurityFindings(labels: JsonObject, subject: string): Finding[] {
  const level = labels["pod-security.kubernetes.io/enforce"];
  const [warning] = podSecurityWarning(typeof level === "string" ? level : undefined);
  if (warning === undefined) return [];
  // The sentence ends with what to do.
  const [message = "", ...remedy] = warning.split(": ");
  return [{ code: "pod_security_refuses", subject, message, remedy: remedy.join(": ") }];
}
