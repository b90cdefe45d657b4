import type { Attempt, Denied } from "./decision.ts";
import { type Explanation, formatEndpoint, formatSubject } from "./explanation.ts";
import { explainFailure } from "./failure.ts";
import type { LedOut } from "./leading-out.ts";
import { nearestRule, SPOKEN } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { REASONS } from "./reasons.ts";
import { remedyFor } from "./remedy.ts";
import { judgedAs } from "./through-service.ts";

/** A refusal in words. */
export function explain(policy: Policy, attempt: Attempt, denied: Denied): Explanation {
  const { name } = attempt.seen ?? {};
  const { reason, service, endpoint } = denied;
  const externalName = policy.externalNameOf(name);
  if (reason === "failed.dns") return explainFailure(attempt, { reason, externalName });
  const destination = formatEndpoint(attempt.address, attempt.port);
  const judged = judgedAs(attempt, denied);
  const nearest = nearestRule(policy, judged, denied);
  const { rule: egressRule, boundary } =
    otherPort(attempt) === undefined ? remedyFor(policy, attempt, denied) : {};
  const advice = adviceFor(attempt, denied, egressRule !== undefined, boundary);
  const subject = formatSubject(destination, name, externalName);
  return {
    reason,
    message: `${subject}${service ? ` (${leading(service, denied, attempt.port)})` : ""} was refused: ${because(judged, denied, externalName)}`,
    destination,
    ...(service && { service: service.service }),
    ...(endpoint && { endpoint: formatEndpoint(endpoint.address, endpoint.port) }),
    ...(name !== undefined && { name }),
    ...(externalName !== undefined && { externalName }),
    ...(nearest && { nearest }),
    ...(egressRule && { egressRule }),
    ...(advice !== undefined && { advice }),
  };
}

/** What the destination is, where it is no end by itself. */
function leading({ service, endpoints }: LedOut, { endpoint }: Denied, port: number): string {
  const what = `Service ${service}, which leads outside the cluster`;
  if (endpoint) return `${what} to ${formatEndpoint(endpoint.address, endpoint.port)}`;
  return endpoints.length === 0 ? `${what}, and has no endpoint for port ${port}` : what;
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
  { reason, boundary, service }: Denied,
  hasRule: boolean,
  wouldRefuse: string | undefined,
): string | undefined {
  const { seen } = attempt;
  const port = otherPort(attempt);
  if (port !== undefined)
    return `no rule is needed for this: its Host is for port ${port}, and it dialled ${attempt.port}; the app has to say the port that it dials, or none`;
  if (service?.endpoints.length === 0 && reason === "denied.no_rule")
    return `no rule can help: Service ${service.service} leads nowhere from port ${attempt.port}; see its ports, and their endpoints`;
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
