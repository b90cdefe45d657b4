import type { JsonObject } from "@sallyport/controller/admission/admission";
import { PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { NOT_ENDED } from "@sallyport/controller/assessment/pods";
import type { EgressBoundary } from "@sallyport/core/rules";
import type { Labels } from "@sallyport/core/selector";
import { type Listed, objectsOf, readRules } from "../fleet/cluster-policy.ts";
import { labelsOf, surroundingsOf } from "../fleet/pod-policy.ts";
import { placeOf } from "../fleet/sidecar-page.ts";
import type { Access } from "../kubernetes/access.ts";
import { known, type Read, reading } from "../kubernetes/read.ts";
import { whySilent } from "../stats/sidecar-state.ts";
import type { Finding } from "./findings.ts";
import { type Bypass, bypassOf, judgeBypasses } from "./judge-bypasses.ts";
import { judgeBoundaries, judgeRules, type PolicyPlace } from "./judge-policy.ts";
import { type Asked, askSidecars, type Sidecar } from "./sidecars.ts";

export interface PolicyReport {
  /** Undefined where not all of them may be read. */
  readonly rules: number | undefined;
  readonly boundaries: number | undefined;
  readonly sidecars: Omit<Asked, "findings">;
  readonly findings: readonly Finding[];
}

export interface PolicyOptions {
  readonly install: string;
  readonly boundaries: Read<Listed<EgressBoundary>>;
  /** Those labelled: of these rules and pods are looked at. */
  readonly labelled: readonly string[];
  /** All that are known, as the API server stores them. */
  readonly namespaces: readonly Read<JsonObject>[];
  /** At most so many sidecars are asked. */
  readonly sidecars: number;
  readonly nowMs: number;
}

/** Rules and boundaries, what their subjects have of them, and what goes past them. */
export async function lookAtPolicy(
  access: Pick<Access, "config" | "rest">,
  { install, boundaries, labelled, namespaces, sidecars: most, nowMs }: PolicyOptions,
): Promise<PolicyReport> {
  const { rest } = access;
  const stored = namespaces.map(known).filter((each) => each !== undefined);
  const labels = new Map(stored.map((each) => [placeOf(each).name, labelsOf(each)]));
  const places: PolicyPlace[] = [];
  const sidecars: Sidecar[] = [];
  const findings: Finding[] = [];
  for (const namespace of labelled) {
    const of = labels.get(namespace) ?? {};
    const rules = await readRules(rest, namespace);
    const around = () => surroundingsOf(rest, namespace, install);
    const { injected, bypasses, running } = await podsOf(access, namespace);
    sidecars.push(...running.map((pod) => ({ pod, around })));
    places.push({ namespace, labels: of, rules, pods: injected });
    findings.push(...judgeBypasses(bypasses, of, objectsOf(boundaries)));
  }
  const asked = await askSidecars(access, sidecars, most);
  return {
    rules: [...places.map(({ rules }) => rules), ...namespaces].some((read) => "unknown" in read)
      ? undefined
      : places.reduce((sum, { rules }) => sum + objectsOf(rules).length, 0),
    boundaries: "unknown" in boundaries ? undefined : objectsOf(boundaries).length,
    sidecars: asked,
    findings: [
      ...judgeBoundaries(
        boundaries,
        stored.map((each) => ({ name: placeOf(each).name, labels: labelsOf(each) })),
        install,
        nowMs,
      ),
      ...judgeRules(places, objectsOf(boundaries), nowMs),
      ...findings,
      ...asked.findings,
    ],
  };
}

/** Of the pods that have a sidecar. */
async function podsOf({ rest }: Pick<Access, "rest">, namespace: string) {
  const injected: Labels[] = [];
  const bypasses: Bypass[] = [];
  const running: JsonObject[] = [];
  const list = rest.list(`/api/v1/namespaces/${namespace}/pods`, { fieldSelector: NOT_ENDED });
  // That they may not be listed is told of workloads.
  await reading(
    (async () => {
      for await (const pod of list) {
        if (asObject(pod.metadata).deletionTimestamp !== undefined) continue;
        if (!ourContainer(pod, PROXY_CONTAINER)) continue;
        injected.push(labelsOf(pod));
        const bypass = bypassOf(pod);
        if (bypass) bypasses.push(bypass);
        if (whySilent(pod, undefined) === undefined) running.push(pod);
      }
    })(),
  );
  return { injected, bypasses, running };
}
