import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { eachSidecar, type Unasked, workloadOf } from "../fleet/each-sidecar.ts";
import { type PodPolicy, podPolicy, type Surroundings } from "../fleet/pod-policy.ts";
import type { Access } from "../kubernetes/access.ts";
import { count } from "../policy/amount.ts";
import type { Code, Finding } from "./findings.ts";

/** Of the sidecars that were asked. */
export interface Asked {
  readonly asked: number;
  /** That run, asked or not. */
  readonly running: number;
  readonly findings: readonly Finding[];
}

/** A policy is with its sidecars within a second: what was on its way at the first look has arrived at the second. */
const SECOND_LOOK_MS = 3_000;

/** A running sidecar's pod, and what decides about it: of the pods of a namespace, one and the same function. */
export interface Sidecar {
  readonly pod: JsonObject;
  readonly around: () => Promise<Surroundings>;
}

/** One of each workload first, so that no workload goes unasked for the many pods of another. */
export function chosen(sidecars: readonly Sidecar[], most: number): readonly Sidecar[] {
  const workloads = new Set<string>();
  const [first, rest] = [[] as Sidecar[], [] as Sidecar[]];
  for (const sidecar of sidecars) {
    const workload = workloadOf(sidecar.pod);
    (workloads.has(workload) ? rest : first).push(sidecar);
    workloads.add(workload);
  }
  return [...first, ...rest].slice(0, most);
}

/** Whether sidecars have what the cluster's rules give them, and are connected to be given what comes. */
export async function askSidecars(
  access: Pick<Access, "config" | "rest">,
  sidecars: readonly Sidecar[],
  most: number,
): Promise<Asked> {
  const first = await look(access, chosen(sidecars, most), readOnce());
  const suspicious = first.looked.filter(({ policy }) => faultOf(policy));
  if (suspicious.length > 0) await sleep(SECOND_LOOK_MS);
  const second = await look(
    access,
    suspicious.map(({ sidecar }) => sidecar),
    ({ around }) => around(),
  );
  return {
    asked: first.looked.length,
    running: sidecars.length,
    findings: [
      ...faultFindings(second.looked),
      ...unaskedFindings([...first.unasked, ...second.unasked], sidecars.length),
    ],
  };
}

/** For all pods of a namespace at once: what changes meanwhile is told by the second look, which reads for each anew. */
function readOnce(): (sidecar: Sidecar) => Promise<Surroundings> {
  const read = new Map<Sidecar["around"], Promise<Surroundings>>();
  return ({ around }) => {
    const its = read.get(around) ?? around();
    read.set(around, its);
    return its;
  };
}

interface Looked {
  readonly sidecar: Sidecar;
  readonly policy: PodPolicy;
}

async function look(
  access: Pick<Access, "config" | "rest">,
  sidecars: readonly Sidecar[],
  aroundOf: (sidecar: Sidecar) => Promise<Surroundings>,
) {
  const looked: Looked[] = [];
  const byPod = new Map(sidecars.map((sidecar) => [sidecar.pod, sidecar]));
  const { unasked } = await eachSidecar(podsIn(sidecars), async (pod) => {
    const sidecar = byPod.get(pod);
    if (sidecar)
      looked.push({ sidecar, policy: await podPolicy(access, pod, await aroundOf(sidecar)) });
  });
  return { looked, unasked };
}

async function* podsIn(sidecars: readonly Sidecar[]): AsyncGenerator<JsonObject> {
  for (const { pod } of sidecars) yield pod;
}

interface Fault {
  readonly code: Code;
  readonly message: string;
}

function faultOf({ inForce, differences = [] }: PodPolicy): Fault | undefined {
  const { control, snapshot, problem } = inForce;
  if (!control) return undefined;
  const why = control.problem === undefined ? "" : `: ${control.problem}`;
  if (!snapshot)
    return {
      code: "sidecar_without_policy",
      message: `its sidecar has been given no policy, and permits nothing${why}`,
    };
  if (differences.length > 0)
    return {
      code: "sidecar_policy_stale",
      message: `its sidecar has not what the rules give: ${differences.map(({ where }) => where).join("; ")}${problem === undefined ? "" : `; ${problem}`}`,
    };
  if (control.connected) return undefined;
  return {
    code: "sidecar_disconnected",
    message: `its sidecar is not connected to the controllers, and keeps what it has${why}`,
  };
}

/** Those of a workload with the same fault are one finding. */
function faultFindings(looked: readonly Looked[]): Finding[] {
  const faults = looked.flatMap(({ sidecar, policy }) => {
    const fault = faultOf(policy);
    return fault ? [{ ...fault, subject: workloadOf(sidecar.pod), place: policy.place }] : [];
  });
  const alike = Map.groupBy(faults, ({ code, subject, message }) =>
    [code, subject, message].join("\n"),
  );
  return [...alike.values()].flatMap((its) => {
    const [first] = its;
    if (!first) return [];
    const { code, subject, message, place } = first;
    const who =
      its.length === 1 ? `pod ${place.name}` : `${its.length} pods (${place.name} is one)`;
    return [
      {
        ...{ code, subject, message: `${who}: ${message}` },
        remedy: `see what it has and why: sallyport get pod/${place.name} -n ${place.namespace}`,
      },
    ];
  });
}

function unaskedFindings(unasked: readonly Unasked[], running: number): Finding[] {
  const [first] = unasked;
  if (!first) return [];
  return [
    {
      ...{ code: "sidecar_not_asked", subject: "sidecars" },
      message: `${unasked.length} of ${count(running, "sidecar")} could not be asked what they have, the first in ${first.pod.split("/")[0]}: ${first.why}`,
      remedy: "as somebody who may connect to pods (create on pods/portforward): sallyport check",
    },
  ];
}
