import type { Clause, PolicySnapshot } from "@sallyport/core/snapshot";
import { NoAnswer } from "../../kubernetes/access.ts";
import { judgeWay, type Measure } from "./judge.ts";
import { probeArguments, readFindings } from "./probe.ts";
import { judgeStanding } from "./standing.ts";
import type { Row } from "./verdict.ts";
import { type AllowedNames, type Targets, waysFor } from "./ways.ts";

/** Runs Node inside the pod with these arguments, and gives what it has printed, which is JSON. */
export type RunNode = (args: readonly string[]) => Promise<unknown>;

/** Every way around that can be tried from inside a pod, tried, and what came of each. */
export async function selfTest(measure: Measure, targets: Targets, run: RunNode): Promise<Row[]> {
  const { proxyUid: uid, proxyGid: gid, excludePorts } = measure.init;
  const names = allowedNames(measure.snapshot);
  const ways = waysFor({ uid, gid, excludePorts, names }, targets);
  const findings = readFindings(await run(probeArguments(ways.map(({ attempt }) => attempt))));
  if (findings instanceof Error)
    throw new NoAnswer(`the probe's answer is not understood: ${findings.message}`);
  return [
    ...ways.map((way) => judgeWay(way, findings, measure)),
    ...judgeStanding(findings, measure.mayBeRoot),
  ];
}

/** One name that a rule permits over TLS, one over HTTP: what somebody would claim who is elsewhere. */
export function allowedNames(snapshot: PolicySnapshot | undefined): AllowedNames {
  const clauses = [...(snapshot?.rules ?? []), ...(snapshot?.baseline ?? [])];
  return { tls: nameIn(clauses, "tls", 443), http: nameIn(clauses, "http", 80) };
}

function nameIn(clauses: readonly Clause[], protocol: string, port: number): string | undefined {
  return clauses
    .filter(({ ports }) => ports.some((its) => its.protocol === protocol && its.port === port))
    .flatMap(({ hosts = [] }) => hosts)
    .sort((a, b) => Number(a.startsWith("*")) - Number(b.startsWith("*")))
    .map((host) => host.replace(/^\*+\./, "www."))
    .at(0);
}
