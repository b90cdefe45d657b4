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

/** What to do; of several faults the one that stands first here is the cause to see to. */
const ADVICE: Readonly<Record<FaultKind, string>> = {
  permission: "run init as root with the capabilities NET_ADMIN and NET_RAW",
  locked: "another program is changing the rules; run init again when it has ended",
  timeout: "see what keeps the node busy and run init again",
  kernel:
    "load what is missing on the node: modprobe -a nf_tables nft_compat xt_REDIRECT xt_owner xt_conntrack ipt_REJECT ip6t_REJECT",
  other: "correct the cause and run init again",
  absent: "install iptables 1.8 or newer",
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

/** Each thing that was said once, and what to do; that a name is not installed matters only where none is. */
export function inOneLine(faults: readonly Fault[]): string {
  const present = faults.filter(({ kind }) => kind !== "absent");
  const telling = present.length > 0 ? present : faults;
  const distinct = [...new Map(telling.map((fault) => [fault.said, fault])).values()];
  const cause = Object.entries(ADVICE).find(([kind]) => distinct.some((one) => one.kind === kind));
  return [distinct.map(({ message }) => message).join("; "), cause?.[1]].join(": ");
}
