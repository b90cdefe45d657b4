import { evaluate } from "@sallyport/core/evaluate";
import { formatEndpoint, formatSubject } from "@sallyport/core/explanation";
import { Policy } from "@sallyport/core/policy";
import type { PolicySnapshot } from "@sallyport/core/snapshot";
import type { InitConfig } from "@sallyport/init/contract";
import type { Attempt, Findings, Recorded, Seen } from "./attempt.ts";
import { expectationOf } from "./expectation.ts";
import { canBecomeAnybody } from "./standing.ts";
import type { Judged, Row } from "./verdict.ts";
import type { Way } from "./ways.ts";

/** By what it is judged: the pod's own rules, and the policy that its sidecar has in force. */
export interface Measure {
  readonly init: InitConfig;
  /** Undefined where the sidecar could not be asked. */
  readonly snapshot: PolicySnapshot | undefined;
  /** Whether the container whose part the probe plays could be root, even where the probe is not. */
  readonly mayBeRoot: boolean;
}

const held = (happened: string): Judged => ({ verdict: "held", happened });
const open = (happened: string): Judged => ({ verdict: "open", happened });
const unknown = (happened: string): Judged => ({ verdict: "unknown", happened });
const onPurpose = (happened: string): Judged => ({ verdict: "open_on_purpose", happened });

const LEFT = "it left the pod: nothing in it refused it, and nobody answered";

export function judgeWay(way: Way, findings: Findings, measure: Measure): Row {
  const seen = findings.seen.find(({ id }) => id === way.id);
  const judged = seen ? judge(way, seen, findings, measure) : unknown("the probe did not say");
  return { way: way.id, tried: `${way.what}: ${describe(way.attempt)}`, ...judged };
}

function judge(way: Way, seen: Seen, findings: Findings, measure: Measure): Judged {
  const { attempt } = way;
  if (attempt.kind === "page") return judgePage(way.id, seen);
  if (attempt.kind === "become") return judgeBecome(seen, findings, measure);
  const protocol = attempt.kind === "udp" ? "udp" : "tcp";
  const expected = expectationOf(measure.init, protocol, attempt.address, attempt.port);
  if (typeof expected === "object") {
    if (seen.record) return judgeRecord(way, seen.record, measure);
    return onPurpose(`${expected.opened}; ${happened(seen)}`);
  }
  if (protocol === "udp" || expected === "refused") return judgeRefusal(seen, findings, attempt);
  if (seen.record) return judgeRecord(way, seen.record, measure);
  if (seen.outcome === "silent") return open(LEFT);
  if (seen.outcome === "failed")
    return judgeRefusal(seen, findings, attempt, "not by the sidecar; ");
  return findings.recordsRead
    ? open(`it went past the sidecar, which has no record of it: ${happened(seen)}`)
    : unknown("connected; whether by the sidecar cannot be told, for its records cannot be read");
}

/** The sidecar had it, and so the policy decided. */
function judgeRecord({ attempt, manner }: Way, record: Recorded, { snapshot }: Measure): Judged {
  const { verdict, reason, would_be, rule, dialled_address } = record;
  if (verdict === "deny") return held(`the sidecar refused it: ${reason}`);
  if (!("address" in attempt)) return unknown(reason);
  if (manner === "listener") return open(`the sidecar permitted it: ${reason}`);
  // What was permitted for its sake may have failed since, and then that is the reason.
  if (reason === "allowed.audit" || would_be !== undefined)
    return onPurpose(`the policy audits; enforced it would be ${would_be}`);
  if (manner === "spoof" && dialled_address !== attempt.address)
    return held(
      `the sidecar went where the name itself leads, ${dialled_address ?? "or nowhere"}${byRule(rule)}`,
    );
  if (snapshot?.mode === "audit")
    return onPurpose(`the policy audits, and what is dialled is reached: ${reason}${byRule(rule)}`);
  const { address, port } = attempt;
  const byPolicy = snapshot && evaluate(new Policy(snapshot), { address, port }).verdict;
  if (byPolicy === "deny")
    return open(`the sidecar permitted what its policy denies: ${reason}${byRule(rule)}`);
  if (manner === "spoof" && byPolicy !== "allow")
    return byPolicy === undefined
      ? unknown(`the sidecar went there, and its policy is not known: ${reason}${byRule(rule)}`)
      : open(`the sidecar believed the name, and went there: ${reason}${byRule(rule)}`);
  return onPurpose(`the policy permits it: ${reason}${byRule(rule)}`);
}

const byRule = (rule: string | undefined) => (rule === undefined ? "" : `, by ${rule}`);

/** The kernel says EPERM of what the pod's own filter refuses; any other refusal may be anybody's. */
function judgeRefusal(seen: Seen, { hasIpv6 }: Findings, attempt: Attempt, more = ""): Judged {
  const { outcome, error } = seen;
  if (outcome === "answered" || outcome === "connected")
    return open(`it went past the sidecar: ${happened(seen)}`);
  if (outcome === "silent") return open(LEFT);
  if (error === "EPERM") return held("the pod's own rules refused it (EPERM)");
  const isIpv6 = "address" in attempt && attempt.address.includes(":");
  if (isIpv6 && !hasIpv6 && ["ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH"].includes(error ?? ""))
    return held(`the pod has no IPv6 (${error})`);
  return unknown(`refused (${error}), ${more}by whom cannot be told`);
}

/** By way, the status that an app is to be given. */
const PAGES: Readonly<Record<string, readonly [status: number, says: Judged]>> = {
  admin_rebound: [403, held("refused: they answer to loopback's own names only")],
  admin_write: [405, held("refused: they answer GET only")],
  admin_read: [200, onPurpose("whoever is in the pod may read its policy and its records")],
};

function judgePage(id: string, seen: Seen): Judged {
  const [wanted, says] = PAGES[id] ?? [0, unknown(id)];
  if (seen.status === wanted) return says;
  if (seen.status !== undefined)
    return open(`answered ${seen.status}, where ${wanted} was expected`);
  return unknown(`no answer: ${happened(seen)}`);
}

const NOT_ROOT = "set runAsNonRoot: true, or drop SETUID and SETGID";

function judgeBecome(seen: Seen, findings: Findings, { mayBeRoot }: Measure): Judged {
  const { uid, capabilities } = findings;
  if (seen.outcome === "failed" && seen.error === "EPERM")
    return mayBeRoot && uid !== 0 && canBecomeAnybody(capabilities.bounding)
      ? unknown(
          `uid ${uid} cannot, but by its image the container may be root, which can: ${NOT_ROOT}`,
        )
      : held(`uid ${uid} cannot become it (EPERM)`);
  if (seen.outcome === "failed" && !seen.heard)
    return unknown(`it could not be tried: ${seen.error}`);
  const redirected = seen.record ? "" : ", and what it sends is not redirected";
  return open(`uid ${uid} became it${redirected}: ${NOT_ROOT}`);
}

function happened({ outcome, error, heard }: Seen): string {
  const more = [error, heard].filter((each) => each !== undefined);
  return more.length > 0 ? `${outcome} (${more.join("; ")})` : outcome;
}

function describe(attempt: Attempt): string {
  switch (attempt.kind) {
    case "tcp":
    case "udp":
      return `${formatEndpoint(attempt.address, attempt.port)}/${attempt.kind}`;
    case "tls":
      return formatSubject(formatEndpoint(attempt.address, attempt.port), attempt.name, undefined);
    case "page":
      return `${attempt.method} ${attempt.port}${attempt.path}, Host ${attempt.host}`;
    case "become":
      return `${attempt.uid}:${attempt.gid}`;
  }
}
