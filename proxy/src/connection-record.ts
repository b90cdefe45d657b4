import type { Allowed, Answers, Denied, Seen, Verdict } from "@sallyport/core/decision";
import { explain } from "@sallyport/core/explain";
import { formatEndpoint } from "@sallyport/core/explanation";
import type { Policy } from "@sallyport/core/policy";
import type { Reason } from "@sallyport/core/reasons";
import type { DecisionRecord, Ending } from "@sallyport/core/record";
import { attemptOf, nameOf, type OpenConnection, type Outcome } from "./connection.ts";
import type { Endpoint, Finished } from "./engine.ts";
import { failReason } from "./fail-reason.ts";
import { shownPath } from "./http/message/target.ts";
import type { Told } from "./http/told.ts";
import { timestamp } from "./timestamp.ts";

/** What the records of one sidecar share. */
export interface Recording {
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly answers: Answers;
  policy(): Policy;
}

/** The one record of a connection, complete. */
export function recordOf(
  connection: OpenConnection,
  end: Finished,
  recording: Recording,
): DecisionRecord {
  const { number, startedMs, destination, outcome, answerAs } = connection;
  const dial = outcome?.verdict === "allow" ? outcome.dial : [];
  const dialled = end.dialled === undefined ? undefined : dial[end.dialled];
  return {
    time: timestamp(startedMs),
    pod: recording.pod.name,
    namespace: recording.pod.namespace,
    connection: number,
    // We have answered its first request, and closed it.
    ...(answerAs !== undefined && end.how === "refused" && { request: 1, status: answerAs }),
    verdict: outcome?.verdict === "allow" ? "allow" : "deny",
    reason: reasonOf(connection, end),
    ...decidedBy(connection, outcome, recording),
    original_address: destination.address,
    original_port: destination.port,
    ...shown(connection, outcome, recording),
    ...through(outcome),
    ...(dialled !== undefined && dialledAt(dialled, outcome, destination)),
    bytes_sent: end.sent,
    bytes_received: end.received,
    ...(end.connectMs !== undefined && { connect_ms: end.connectMs }),
    duration_ms: end.totalMs,
    closed_by: end.by,
    closed_how: endingOf(connection, end),
    ...errorOf(connection, end),
  };
}

/** The record of one request, complete. */
export function recordOfRequest(
  connection: OpenConnection,
  told: Told,
  recording: Recording,
  nowMs: number,
): DecisionRecord {
  const { number, destination, resolved } = connection;
  const { request, verdict, seen, dialled, connectMs, error, status } = told;
  const asked = request && { method: request.method, path: shownPath(request.target) };
  const judged = { ...connection, seen, request: asked, resolved, outcome: verdict };
  const allowed = verdict?.verdict === "allow" ? verdict : undefined;
  return {
    time: timestamp(told.startedMs),
    pod: recording.pod.name,
    namespace: recording.pod.namespace,
    connection: number,
    request: told.number,
    // What was allowed may turn out not to be HTTP.
    verdict: allowed && !told.reason?.startsWith("denied.") ? "allow" : "deny",
    reason: told.reason ?? verdict?.reason ?? "failed.dns",
    ...decidedBy(judged, verdict, recording),
    original_address: destination.address,
    original_port: destination.port,
    ...shown(judged, verdict, recording),
    ...(status !== undefined && { status }),
    ...(allowed?.originate && { originated: true as const }),
    ...(told.wasRepeated && { retried: true as const }),
    ...through(verdict),
    ...(dialled !== undefined && dialledAt(dialled, verdict, destination)),
    bytes_sent: told.sent,
    bytes_received: told.received,
    ...(connectMs !== undefined && { connect_ms: connectMs }),
    duration_ms: nowMs - told.startedMs,
    closed_by: told.by,
    closed_how: told.how,
    ...(error !== undefined && { error }),
  };
}

function reasonOf({ outcome, revoked, seen }: OpenConnection, end: Finished): Reason {
  if (revoked && end.how === "closed") return "revoked";
  if (end.how === "failed") return failReason(end.error);
  if (outcome) return outcome.reason;
  // It went before it was decided: the sidecar was too slow, or the app would not wait for what it was asked.
  if (end.how === "timeout") return "failed.internal";
  return seen?.name === undefined ? "denied.name_missing" : "failed.dns";
}

function endingOf({ outcome, revoked }: OpenConnection, { how }: Finished): Ending {
  if (how !== "closed") return HOW[how];
  if (revoked) return "revoked";
  return outcome?.verdict === "trouble" ? "failed" : "drain";
}

function errorOf({ outcome, seen }: OpenConnection, end: Finished) {
  if (seen?.malformed !== undefined && outcome?.verdict === "deny")
    return { error: seen.malformed };
  if (outcome?.verdict === "trouble") return outcome.error ? { error: outcome.error } : {};
  return end.error !== undefined && end.how !== "refused" ? { error: end.error } : {};
}

/** The rule, the boundary, or the rule that comes closest. */
function decidedBy(connection: OpenConnection, outcome: Outcome | undefined, recording: Recording) {
  switch (outcome?.verdict) {
    case "allow":
      return {
        ...(outcome.wouldBe && { would_be: outcome.wouldBe.reason }),
        ...(outcome.match && ruleOf(outcome)),
        ...(outcome.wouldBe && refusedBy(connection, outcome.wouldBe, recording)),
      };
    case "deny":
      return refusedBy(connection, outcome, recording);
    default:
      return {};
  }
}

function ruleOf(allowed: Allowed) {
  const { match } = allowed;
  const matched = matchedText(allowed);
  return (
    match && { rule: match.clause.rule, entry: match.clause.entry, ...(matched && { matched }) }
  );
}

function refusedBy(connection: OpenConnection, denied: Denied, { policy, answers }: Recording) {
  const { nearest } = explain(policy(), attemptOf(connection, answers), denied);
  return {
    ...(denied.boundary !== undefined && { rule: denied.boundary }),
    ...(nearest && { nearest: nearest.rule }),
  };
}

/** What the app has shown of itself. */
function shown(
  connection: OpenConnection,
  outcome: Outcome | undefined,
  { policy }: Pick<Recording, "policy">,
) {
  const { seen, request, resolved } = connection;
  const allowed = outcome?.verdict === "allow" ? outcome : undefined;
  const name = allowed ? nameOf(connection, allowed) : seen?.name;
  const meant =
    allowed || name === undefined ? allowed?.externalName : policy().externalNameOf(name);
  const addresses = name === undefined ? undefined : resolved?.get(meant ?? name);
  return {
    ...(seen && { protocol: seen.protocol }),
    ...(name !== undefined && { name, name_source: sourceOf(name, seen) }),
    ...(meant !== undefined && { external_name: meant }),
    ...(seen?.invalidName !== undefined && { invalid_name: seen.invalidName }),
    ...(request && { method: request.method, path: request.path }),
    ...(addresses && { resolved: addresses }),
  };
}

/** As many endpoints are told of as the engine would dial. */
const MOST_TOLD = 8;

/** The Service that leads out, and to where it did: first, what was decided about. */
function through(outcome: Outcome | undefined) {
  if (!outcome || outcome.verdict === "trouble" || !outcome.service) return undefined;
  const { service, endpoints } = outcome.service;
  const told = [...meantBy(outcome), ...endpoints.slice(0, MOST_TOLD)];
  const texts = new Set(told.map(({ address, port }) => formatEndpoint(address, port)));
  return { service, service_endpoints: [...texts].slice(0, MOST_TOLD) };
}

function meantBy(verdict: Verdict): readonly Endpoint[] {
  if (verdict.verdict === "deny") return verdict.endpoint ? [verdict.endpoint] : [];
  const { dial, port, wouldBe } = verdict;
  if (wouldBe) return meantBy(wouldBe);
  return port === undefined ? [] : dial.map((address) => ({ address, port }));
}

function dialledAt(dialled: string, outcome: Outcome | undefined, { port }: Endpoint) {
  const other = outcome?.verdict === "allow" ? outcome.port : undefined;
  return { dialled_address: dialled, dialled_port: other ?? port };
}

function sourceOf(name: string, seen: Seen | undefined): "sni" | "host" | "dns" {
  if (name !== seen?.name) return "dns";
  return seen.protocol === "http" ? "host" : "sni";
}

/** `*.example.com:443`, `[2001:db8::/32]:1-65535`: what allowed it, for records and counters. */
export function matchedText({ match }: Allowed): string | undefined {
  if (!match) return undefined;
  const { what, ports } = match;
  const range = ports.endPort ? `${ports.port}-${ports.endPort}` : String(ports.port);
  return `${what.includes(":") ? `[${what}]` : what}:${range}`;
}

const HOW: Readonly<Record<Finished["how"], Ending>> = {
  end: "end",
  reset: "reset",
  refused: "refused",
  failed: "failed",
  timeout: "timeout",
  closed: "drain",
};
