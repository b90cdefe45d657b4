import type { Allowed } from "@sallyport/core/decision";
import { type Explanation, formatEndpoint, formatNearest } from "@sallyport/core/explanation";
import type { Applied } from "./applied.ts";
import { type Finding, refusalOf } from "./ask.ts";
import { explainRefusal } from "./suggest.ts";

/** Why it is refused, or would be outside audit mode; undefined where it is not. */
export function whyRefused(applied: Applied, finding: Finding): Explanation | undefined {
  const denied = refusalOf(finding.verdict);
  if (!denied) return undefined;
  const { attempt, name, leadsTo, isPlaceholder } = finding;
  const named = name === undefined ? undefined : { name, addresses: leadsTo };
  const refusal = explainRefusal(applied, denied, attempt, named);
  if (!isPlaceholder || name === undefined) return refusal;
  const hide = (text: string) => withoutPlaceholder(text, name, attempt);
  return {
    ...refusal,
    destination: `${name}:${attempt.port}`,
    message: hide(refusal.message),
    ...(refusal.nearest && { nearest: { ...refusal.nearest, why: hide(refusal.nearest.why) } }),
  };
}

/** The finding in lines: what it is judged by, what comes closest, what was assumed. */
export function linesOf(
  { verdict, name, isPlaceholder, assumed }: Finding,
  refusal: Explanation | undefined,
): string[] {
  return [
    ...(refusal ? [["why", refusal.message]] : []),
    ...(refusal?.nearest ? [["nearest", formatNearest(refusal.nearest)]] : []),
    ...(verdict.verdict === "allow" ? allowedLines(verdict, name, isPlaceholder) : []),
    ...assumed.map((sentence) => ["assuming", sentence]),
    ...(refusal?.advice === undefined ? [] : [["note", refusal.advice]]),
  ].map(([label = "", text]) => `  ${label.padEnd(LABEL_WIDTH)}${text}`);
}

/** The finding for a machine: the fields of a record (core/src/record.ts), and those of an explanation. */
export function findingJson(applied: Applied, finding: Finding) {
  const { verdict, name, spoken, isPlaceholder, assumed } = finding;
  const refusal = whyRefused(applied, finding);
  const { match, originate } = verdict.verdict === "allow" ? verdict : {};
  const externalName = verdict.verdict === "allow" ? verdict.externalName : refusal?.externalName;
  return {
    verdict: verdict.verdict,
    reason: verdict.reason,
    ...(verdict.verdict === "allow" && verdict.wouldBe && { would_be: verdict.wouldBe.reason }),
    ...(verdict.verdict === "deny" && verdict.boundary && { rule: verdict.boundary }),
    ...(match && { rule: match.clause.rule, entry: match.clause.entry, matched: match.what }),
    namespace: applied.pod.namespace,
    ...(name !== undefined && { name }),
    ...(externalName !== undefined && { external_name: externalName }),
    protocol: spoken,
    ...(originate && { originated: true }),
    ...(verdict.verdict === "allow" && !isPlaceholder && { dial: verdict.dial }),
    ...(verdict.service && { service: verdict.service.service }),
    ...(verdict.verdict === "allow" && verdict.port !== undefined && { dial_port: verdict.port }),
    ...(refusal && {
      message: refusal.message,
      ...(refusal.nearest && { nearest: refusal.nearest }),
      ...(refusal.advice !== undefined && { advice: refusal.advice }),
      ...(refusal.egressRule && { egress_rule: refusal.egressRule }),
    }),
    assumed,
  };
}

const LABEL_WIDTH = 10;

function allowedLines(
  { match, reason, dial, port, service, externalName, originate }: Allowed,
  name: string | undefined,
  isPlaceholder: boolean,
): string[][] {
  const list = reason === "allowed.baseline" ? "baseline" : "to";
  const meant = externalName ?? name;
  const addresses = port === undefined ? dial : dial.map((each) => formatEndpoint(each, port));
  const where =
    isPlaceholder && meant !== undefined ? `what ${meant} resolves to` : addresses.join(", ");
  return [
    ...(service
      ? [["service", `${service.service} leads outside the cluster: its endpoints are judged`]]
      : []),
    ...(externalName === undefined ? [] : [["alias", `${name} stands for ${externalName}`]]),
    ...(match
      ? [
          [
            "by",
            `${place(match.clause.rule, list, match.clause.entry)}: ${match.what}, ${portsOf(match)}`,
          ],
        ]
      : []),
    ["dialled", originate ? `${where}, in TLS verified for ${meant}` : where],
  ];
}

export function place(rule: string, list: string, entry: number): string {
  return `${rule.includes("/") ? rule : `boundary ${rule}`} spec.${list}[${entry}]`;
}

function portsOf({ ports: { port, endPort, protocol } }: NonNullable<Allowed["match"]>): string {
  return `port ${endPort ? `${port}-${endPort}` : port} (${protocol})`;
}

function withoutPlaceholder(
  text: string,
  name: string,
  { address, port }: Finding["attempt"],
): string {
  return text
    .replaceAll(`, at ${address}:${port}`, `, on port ${port}`)
    .replaceAll(`${name} at ${address}:${port}`, `${name}:${port}`)
    .replaceAll(`${address}:${port}`, `${name}:${port}`)
    .replaceAll(address, "its address");
}
