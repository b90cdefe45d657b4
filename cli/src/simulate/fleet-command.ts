import type { JsonObject } from "@sallyport/controller/admission/admission";
import { all } from "../check/gather.ts";
import { type Listed, objectsOf, readBoundaries, readRules } from "../fleet/cluster-policy.ts";
import { eachSidecar, runningSidecars, type Unasked, workloadOf } from "../fleet/each-sidecar.ts";
import { inForceOf } from "../fleet/in-force.ts";
import { defaultModeOf } from "../fleet/installation.ts";
import { labelsOf } from "../fleet/pod-policy.ts";
import { placeOf } from "../fleet/sidecar-page.ts";
import { decisionsOf, destinationsOf } from "../fleet/traffic.ts";
import { type Access, NoAnswer, onCluster } from "../kubernetes/access.ts";
import type { ClusterChoice } from "../kubernetes/kubeconfig.ts";
import { known, type Read } from "../kubernetes/read.ts";
import { count, formatAmount, total } from "../policy/amount.ts";
import { podOf } from "../policy/applied.ts";
import { BadInput, type Io, print, STATUS } from "../policy/io.ts";
import { enforced, type PolicyObjects, readObjects } from "../policy/objects.ts";
import { type SettingValues, settingOf } from "../policy/setting.ts";
import { printSimulation } from "../policy/simulate-print.ts";
import { FleetSimulation } from "./fleet-simulation.ts";
import { proposedOn } from "./proposed.ts";
import { weigh } from "./weighed.ts";

const UNASKED = { failed: 3, unreachable: 3 } as const;
const PROGRESS_EVERY = 50;
const TOLD = 10;

/** Of the cluster these are known, or nobody is asked. */
const OF_FILES = [
  ...["file", "labels", "namespace-labels", "cluster"],
  ...["answer", "resolve", "resolver"],
] as const;

interface Values extends SettingValues, ClusterChoice {
  readonly "install-namespace": string;
  readonly "all-namespaces"?: boolean;
  readonly enforce?: boolean;
  readonly suggest?: boolean;
}

/** What proposed rules would change for the fleet, by what its sidecars have recorded since they started. */
export async function simulateFleet(
  files: readonly string[],
  positionals: readonly string[],
  values: Values,
  io: Io,
): Promise<number> {
  settingOf({ output: values.output, file: [] }, ["text", "json"], mistakesIn(positionals, values));
  const given = await readObjects(files, io);
  await print(io.stderr, given.skippedLine());
  return await onCluster("simulate", io, values, UNASKED, async (access) => {
    const { rest } = access;
    const namespace = values["all-namespaces"] ? undefined : access.namespace;
    const [rules, boundaries, labels, defaultMode] = await Promise.all([
      readRules(rest, namespace),
      readBoundaries(rest),
      namespaceLabels(access, namespace),
      defaultModeOf(rest, values["install-namespace"]),
    ]);
    for (const line of [...missing("rules", rules), ...missing("boundaries", boundaries)])
      await print(io.stderr, [line]);
    const proposed: PolicyObjects = proposedOn(
      { rules: objectsOf(rules), boundaries: objectsOf(boundaries) },
      given,
      access.namespace,
    );
    const simulation = new FleetSimulation(
      values.enforce ? enforced(proposed) : proposed,
      values.enforce ? "enforce" : defaultMode,
    );
    const forgotten = { connections: 0, requests: 0 };
    const fleet = await eachSidecar(
      runningSidecars(rest, namespace),
      async (pod: JsonObject) => {
        const place = placeOf(pod);
        const [inForce, destinations, decisions] = await Promise.all([
          inForceOf(access, pod),
          destinationsOf(access, pod),
          decisionsOf(access, pod),
        ]);
        if (!inForce.snapshot)
          throw new NoAnswer(`pod ${place.name}: its first policy has not come yet`);
        forgotten.connections += destinations.others.connections;
        forgotten.requests += destinations.others.requests;
        simulation.add({
          workload: workloadOf(pod),
          identity: podOf(place.namespace, labelsOf(pod), labels.get(place.namespace) ?? {}),
          inForce: inForce.snapshot,
          traffic: weigh(place.namespace, destinations, decisions),
        });
      },
      (asked) => {
        if (asked % PROGRESS_EVERY === 0) void print(io.stderr, [`asked ${asked} sidecars so far`]);
      },
    );
    await print(io.stderr, [
      `asked: ${count(fleet.asked, "sidecar")} in ${namespace === undefined ? "all namespaces" : `namespace ${namespace}`}`,
      ...unaskedLines(fleet.unasked),
      ...(total(forgotten) > 0
        ? [`not judged: ${formatAmount(forgotten)} to destinations that sidecars have forgotten`]
        : []),
    ]);
    if (fleet.asked === 0)
      throw new NoAnswer(
        fleet.unasked.length > 0
          ? "none of the sidecars could be asked"
          : "no pod there has a sidecar that runs",
      );
    await printSimulation(simulation, values, io, {
      sidecars: { asked: fleet.asked, not_asked: fleet.unasked },
      forgotten,
    });
    const { refused, unknown } = simulation.tally.judged;
    return total(refused) + total(unknown) > 0 ? STATUS.fails : STATUS.holds;
  });
}

function mistakesIn(positionals: readonly string[], values: Values): string[] {
  const [first] = positionals;
  return [
    ...(first === undefined
      ? []
      : [`${first}: with --proposed the sidecars give the records; for files of them use -f`]),
    ...OF_FILES.filter((option) => values[option as keyof Values] !== undefined).map(
      (option) => `--${option}: with --proposed the cluster says it; it is for -f FILE`,
    ),
    ...(values["all-namespaces"] && values.namespace !== undefined
      ? ["--all-namespaces and --namespace: one of them"]
      : []),
  ];
}

/** Of what may not be read only what is proposed counts, which has to be known. */
function missing<T>(what: string, read: Read<Listed<T>>): string[] {
  if ("unknown" in read)
    throw new BadInput([
      `the cluster's ${what} may not be read, so nobody can say what would change: ${read.unknown}`,
    ]);
  return (known(read)?.unusable ?? []).map(
    ({ subject, mistakes }) => `passed over: ${subject} cannot be used: ${mistakes.join("; ")}`,
  );
}

/** By them boundaries are over a namespace: without them there is no answer. */
async function namespaceLabels(
  { rest }: Access,
  namespace: string | undefined,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const list =
    namespace === undefined
      ? await all(rest.list("/api/v1/namespaces", {}, "metadata"))
      : [await rest.get(`/api/v1/namespaces/${namespace}`)];
  return new Map(list.map((each) => [String(placeOf(each).name), labelsOf(each)]));
}

function unaskedLines(unasked: readonly Unasked[]): string[] {
  if (unasked.length === 0) return [];
  const more = unasked.length - TOLD;
  return [
    `not asked: ${count(unasked.length, "sidecar")}`,
    ...unasked.slice(0, TOLD).map(({ pod, why }) => `  ${pod}: ${why}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
