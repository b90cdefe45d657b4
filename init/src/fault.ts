/** Why iptables could not do what it was asked to. */
export type FaultKind = "absent" | "permission" | "locked" | "kernel" | "timeout" | "other";

/** What was attempted and what was said; `inOneLine` adds what to do. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly said: string;

  constructor(attempted: string, said: string, kind = kindOf(said)) {
    super(`${attempted}: ${said}`);
    this.kind = kind;
    this.said = said;
  }
}

const ADVICE: Readonly<Record<FaultKind, string>> = {
  absent: "install iptables 1.8 or newer",
  permission: "run init as root with the capabilities NET_ADMIN and NET_RAW",
  locked: "another program is changing the rules; run init again when it has ended",
  kernel:
    "load what is missing on the node: modprobe -a nf_tables nft_compat xt_REDIRECT xt_owner xt_conntrack ipt_REJECT ip6t_REJECT",
  timeout: "see what keeps the node busy and run init again",
  other: "correct the cause and run init again",
};

/** First hit wins: a kernel's "you must be root" comes in the same sentence as its "could not fetch". */
const SIGNS: readonly (readonly [FaultKind, RegExp])[] = [
  ["permission", /must be root|permission denied|operation not permitted/i],
  ["locked", /xtables lock|can't lock/i],
  [
    "kernel",
    /insmod|modprobe|kernel module|no such file or directory|not supported|does not exist|no chain\/target\/match|couldn't load|could not fetch|unable to initialize table/i,
  ],
];

function kindOf(said: string): FaultKind {
  return SIGNS.find(([, sign]) => sign.test(said))?.[0] ?? "other";
}

/** Each thing that was said once, and what to do about it; that a name is not installed matters only where none is. */
export function inOneLine(faults: readonly Fault[]): string {
  const present = faults.filter(({ kind }) => kind !== "absent");
  const telling = present.length > 0 ? present : faults;
  const distinct = [...new Map(telling.map((fault) => [fault.said, fault])).values()];
  const advice = [...new Set(distinct.map(({ kind }) => ADVICE[kind]))];
  return `${distinct.map(({ message }) => message).join("; ")}: ${advice.join("; ")}`;
}
