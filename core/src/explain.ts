import type { Attempt, Denied } from "./decision.ts";
import { type Explanation, formatEndpoint, formatSubject } from "./explanation.ts";
import { explainFailure } from "./failure.ts";
import { nearestRule, SPOKEN } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { REASONS } from "./reasons.ts";
import { remedyFor } from "./remedy.ts";

/** A refusal in words. */
export function explain(policy: Policy, attempt: Attempt, denied: Denied): Explanation {
  const { name } = attempt.seen ?? {};
  const { reason } = denied;
  const externalName = policy.externalNameOf(name);
  if (reason === "failed.dns") return explainFailure(attempt, { reason, externalName });
  const destination = formatEndpoint(attempt.address, attempt.port);
  const nearest = nearestRule(policy, attempt, denied);
  const { rule: egressRule, boundary } =
    otherPort(attempt) === undefined ? remedyFor(policy, attempt, denied) : {};
  const advice = adviceFor(attempt, denied, egressRule !== undefined, boundary);
  return {
    reason,
    message: `${formatSubject(destination, name, externalName)} was refused: ${because(attempt, denied, externalName)}`,
    destination,
    ...(name !== undefined && { name }),
    ...(externalName !== undefined && { externalName }),
    ...(nearest && { nearest }),
    ...(egressRule && { egressRule }),
    ...(advice !== undefined && { advice }),
  };
}

/** The reason's sentence, with what is known of this case. */
function because(
  { seen, answers }: Attempt,
  { reason, boundary }: Denied,
  externalName: string | undefined,
): string {
  const name = externalName ?? seen?.name;
  const details = [
    ...(boundary === undefined ? [] : [`boundary ${boundary}`]),
    ...(seen?.invalidName === undefined ? [] : [`the name given is "${seen.invalidName}"`]),
    ...(seen?.malformed === undefined ? [] : [seen.malformed]),
    ...(reason === "denied.protocol" && seen ? [`it speaks ${SPOKEN[seen.protocol]}`] : []),
    ...(reason === "denied.name_missing" && seen?.protocol === "silent" ? ["it said nothing"] : []),
    ...(reason === "denied.private_address" && name !== undefined
      ? [`it leads to ${(answers?.addressesOf(name) ?? []).join(", ")}`]
      : []),
  ];
  return `${REASONS[reason]}${details.length > 0 ? ` (${details.join("; ")})` : ""}`;
}

function adviceFor(
  attempt: Attempt,
  { reason, boundary }: Denied,
  hasRule: boolean,
  wouldRefuse: string | undefined,
): string | undefined {
  const { seen } = attempt;
  const port = otherPort(attempt);
  if (port !== undefined)
    return `no rule is needed for this: its Host is for port ${port}, and it dialled ${attempt.port}; the app has to say the port that it dials, or none`;
  switch (reason) {
    case "denied.boundary":
      return `boundary ${boundary} denies it; only who keeps that boundary can change this`;
    case "denied.ceiling":
      return `a rule permits it already; boundary ${boundary} has to allow it, too, which who keeps it can change`;
    case "denied.malformed":
      return "no rule by name can help: see what the app sends";
    case "denied.too_large":
      return "no rule can help: the app has to send less in its head; cookies and long queries are what fills one";
    case "denied.name_invalid":
    case "denied.name_missing":
      return hasRule
        ? "the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp"
        : "the app has to give a name (SNI or Host)";
    default:
      if (wouldRefuse !== undefined)
        return `a rule is not enough: boundary ${wouldRefuse} does not allow it, which only who keeps it can change`;
      return seen?.protocol === "http2" ? NO_HTTP2 : undefined;
  }
}

/** For which port the Host is, where it is another than the one dialled (RFC 9110 §7.2). */
function otherPort({ seen, port }: Attempt): string | undefined {
  const said =
    seen?.protocol === "http" ? seen.invalidName?.match(/^[^:]+:(\d+)$/)?.[1] : undefined;
  return said === undefined || Number(said) === port ? undefined : said;
}

/** RFC 9113 §3.3, prior knowledge. */
const NO_HTTP2 =
  "HTTP/2 without TLS is not judged: the app could speak HTTP/1.1 there (curl --http1.1), or a rule could permit the port as tcp";
