import type { Findings } from "./attempt.ts";
import type { Judged, Row } from "./verdict.ts";

/** By their bits (include/uapi/linux/capability.h). */
const CAPABILITIES = { SETGID: 6, SETUID: 7, NET_ADMIN: 12, NET_RAW: 13 } as const;
type Capability = keyof typeof CAPABILITIES;

function has(set: string, name: Capability): boolean {
  return (
    /^[0-9a-f]{1,16}$/i.test(set) &&
    ((BigInt(`0x${set}`) >> BigInt(CAPABILITIES[name])) & 1n) === 1n
  );
}

/** By SETUID and SETGID, both of them: the rules spare who has both of the sidecar's ids. */
export function canBecomeAnybody(set: string): boolean {
  return has(set, "SETUID") && has(set, "SETGID");
}

/** What the kernel asks a capability for: no socket is opened for it, the process's own standing says it. */
function judgeCapability(findings: Findings, name: Capability, mayBeRoot: boolean): Judged {
  const { effective, bounding } = findings.capabilities;
  if (![effective, bounding].every((set) => /^[0-9a-f]{1,16}$/i.test(set)))
    return { verdict: "unknown", happened: "its capabilities cannot be read" };
  if (has(effective, name))
    return { verdict: "open", happened: `it has ${name}: drop it in its securityContext` };
  if (!has(bounding, name))
    return { verdict: "held", happened: `no ${name}, and no way to get it` };
  if (mayBeRoot)
    return {
      verdict: "unknown",
      happened: `no ${name}, but by its image the container may be root, which has it: drop it, or set runAsNonRoot: true`,
    };
  if (findings.noNewPrivileges)
    return { verdict: "held", happened: `no ${name}, and allowPrivilegeEscalation: false` };
  return {
    verdict: "unknown",
    happened: `no ${name}, but a setuid program of the image could have it: drop ALL, or say allowPrivilegeEscalation: false`,
  };
}

export function judgeStanding(findings: Findings, mayBeRoot: boolean): Row[] {
  return [
    {
      ...{ way: "iptables", tried: "to change the rules: NET_ADMIN" },
      ...judgeCapability(findings, "NET_ADMIN", mayBeRoot),
    },
    {
      ...{ way: "raw_sockets", tried: "packets past the rules, by raw sockets: NET_RAW" },
      ...judgeCapability(findings, "NET_RAW", mayBeRoot),
    },
    {
      ...{ way: "other_protocols", tried: "ICMP, SCTP and other protocols", verdict: "untried" },
      happened:
        "Node opens no such sockets; the rule that refuses other UDP is the one that refuses all else, and it is the last",
    },
  ];
}
