import { formatRule } from "./manifest.ts";
import type { Nearest } from "./nearest.ts";
import type { DenyReason, FailReason } from "./reasons.ts";
import type { EgressRule } from "./rules.ts";

/**
 * Why a connection or a request came to nothing, in words: it was refused (explain.ts), or permitted and failed
 * (failure.ts). It speaks of the pod's own namespace and of boundaries by name, of nothing else.
 */
export interface Explanation {
  readonly reason: DenyReason | FailReason;
  /** One sentence: what came to nothing, and why. */
  readonly message: string;
  /** `203.0.113.7:443` */
  readonly destination: string;
  /** The Service that it is, where that leads out of the cluster: `shop/db`. */
  readonly service?: string;
  /** And that endpoint of it which is refused. */
  readonly endpoint?: string;
  /** The name that the app gave. */
  readonly name?: string;
  /** What that stands for, where it is a Service of type ExternalName. */
  readonly externalName?: string;
  /** The rule that comes closest, and what keeps it from applying. */
  readonly nearest?: Nearest;
  /** What would permit it; absent where no rule can. */
  readonly egressRule?: EgressRule;
  /** What to do where a rule is not what is wanted. */
  readonly advice?: string;
}

/** For people, at a terminal or in a browser: the reason on the first line, a rule to paste as the last thing. */
export function formatExplanation(explanation: Explanation): string {
  const { reason, message, nearest, advice } = explanation;
  return `${[
    `sallyport: ${reason}`,
    "",
    message,
    ...(nearest ? [`nearest rule: ${formatNearest(nearest)}`] : []),
    ...(advice === undefined ? [] : [`what to do: ${advice}`]),
    ...pasteable(explanation).flatMap((line, i) => (i === 0 ? ["", line] : [line])),
  ].join("\n")}\n`;
}

/** For programs. */
export function explanationJson({ externalName, egressRule, ...rest }: Explanation): string {
  const body = {
    ...rest,
    ...(externalName !== undefined && { external_name: externalName }),
    ...(egressRule && { egress_rule: egressRule }),
  };
  return `${JSON.stringify(body, undefined, 2)}\n`;
}

/** `shop/web spec.to[0]: it permits …` */
export function formatNearest({ rule, entry, why }: Nearest): string {
  return `${rule} spec.to[${entry}]: ${why}`;
}

/** The rule that would help, ready for kubectl from the first column on; nothing where there is none. */
export function pasteable({ egressRule }: Explanation): string[] {
  return egressRule
    ? ["The rule to add:", "", ...formatRule(egressRule).trimEnd().split("\n")]
    : [];
}

/** `203.0.113.7:443`, `[2001:db8::1]:443` */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `api.example.com at 203.0.113.7:443`, and what that name stands for. */
export function formatSubject(
  destination: string,
  name: string | undefined,
  externalName: string | undefined,
): string {
  if (name === undefined) return destination;
  const meaning = externalName === undefined ? "" : `, which stands for ${externalName},`;
  return `${name}${meaning} at ${destination}`;
}
