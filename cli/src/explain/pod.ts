import type { JsonObject } from "@sallyport/controller/admission/admission";
import { Policy } from "@sallyport/core/policy";
import { objectsOf } from "../fleet/cluster-policy.ts";
import { labelsOf, type PodPolicy, podPolicy, surroundingsOf } from "../fleet/pod-policy.ts";
import { placeOf } from "../fleet/sidecar-page.ts";
import { NoAnswer, onCluster } from "../kubernetes/access.ts";
import type { ClusterChoice } from "../kubernetes/kubeconfig.ts";
import type { Applied } from "../policy/applied.ts";
import { type Arguments, settle } from "../policy/asked.ts";
import { explainedJson, explainedText } from "../policy/explain-report.ts";
import { type Io, print, STATUS } from "../policy/io.ts";
import { type SettingValues, settingOf } from "../policy/setting.ts";
import { onePodOf } from "../stats/pods.ts";
import { parseTarget } from "../stats/target.ts";
import { knownAnswers } from "./known-answers.ts";

const UNASKED = { failed: 3, unreachable: 3 } as const;

/** Of a pod these are known, and are not to be said. */
const OF_FILES = ["labels", "namespace-labels", "cluster"] as const;

/** Whether a connection of this pod would pass, by the policy that its sidecar has now. */
export function explainPod(
  words: readonly string[],
  asked: Arguments,
  values: SettingValues & ClusterChoice & { readonly "install-namespace": string },
  io: Io,
): Promise<number> {
  const superfluous = OF_FILES.filter((option) => values[option] !== undefined).map(
    (option) => `--${option}: of a pod it is known; it is for -f FILE`,
  );
  const setting = settingOf(
    { ...values, file: [] },
    ["text", "json"],
    [...asked.mistakes, ...superfluous],
  );
  const target = parseTarget(words);
  return onCluster("explain", io, values, UNASKED, async (access) => {
    const { rest, namespace } = access;
    const { pod, of } = await onePodOf(rest, namespace, target);
    const around = await surroundingsOf(rest, namespace, values["install-namespace"]);
    const policy = await podPolicy(access, pod, around);
    const applied = appliedFrom(pod, policy, objectsOf(around.rules));
    const { answers, notes: ofAnswers } = await knownAnswers(access, pod, applied, asked, setting);
    const finding = await settle(applied, { ...asked, answers }, setting);
    const explained = {
      ...{ applied, finding, to: asked.to },
      notes: [...ofAnswers, ...notesOf(policy, of)],
    };
    await print(
      io.stdout,
      values.output === "json"
        ? [JSON.stringify({ pod: placeOf(pod).name, ...explainedJson(explained) }, null, 2)]
        : explainedText(explained),
    );
    return finding.verdict.verdict === "allow" ? STATUS.holds : STATUS.fails;
  });
}

function appliedFrom(
  pod: JsonObject,
  { inForce, place, identity, modeFrom }: PodPolicy,
  rules: readonly { readonly metadata: { readonly name: string } }[],
): Applied {
  const { snapshot } = inForce;
  if (!snapshot)
    throw new NoAnswer(
      `pod ${place.name}: its sidecar permits nothing, for its first policy has not come yet: sallyport get ${place.name} -n ${place.namespace}`,
    );
  return {
    pod: identity ?? { namespace: place.namespace, labels: labelsOf(pod), namespaceLabels: {} },
    snapshot,
    policy: new Policy(snapshot),
    others: [],
    names: new Set([
      ...snapshot.rules.map(({ rule }) => rule),
      ...rules.map(({ metadata }) => `${place.namespace}/${metadata.name}`),
    ]),
    auditedBy: modeFrom,
  };
}

/** By whose policy it is judged, and whether that is still the right one. */
function notesOf({ place, inForce, differences }: PodPolicy, pods: number): string[] {
  const { applied, revision } = inForce;
  const which = revision === undefined ? "" : `, revision ${revision}`;
  const others = pods > 1 ? `, one of ${pods},` : "";
  return [
    `the policy is the one that pod ${place.name}${others} has in force since ${applied}${which}`,
    ...(differences && differences.length > 0
      ? [
          `it is not what the cluster's rules give now: sallyport get ${place.name} -n ${place.namespace}`,
        ]
      : []),
  ];
}
