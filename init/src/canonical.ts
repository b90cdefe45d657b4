import { formatCidr, parseCidr } from "@sallyport/core/address";

/** Names that versions of iptables give to one protocol. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  "1": "icmp",
  "6": "tcp",
  "17": "udp",
  "58": "ipv6-icmp",
  icmpv6: "ipv6-icmp",
  icmp6: "ipv6-icmp",
};

/** The match that a protocol brings along; whether it is printed differs by version and backend. */
const IMPLIED: Readonly<Record<string, string>> = {
  tcp: "tcp",
  udp: "udp",
  icmp: "icmp",
  "ipv6-icmp": "icmp6",
};

/**
 * One spelling for the rules that mean the same: the same options with the same values, whatever their order, the
 * protocol's other name, the address's other form. Two rules with one spelling match the same packets.
 */
export function canonical(spec: string): string {
  const options = optionsOf(tokens(spec)).map(normalised);
  const protocol = options.find((option) => option.startsWith("-p "))?.slice(3);
  const implied = `-m ${IMPLIED[protocol ?? ""]}`;
  return options
    .filter((option) => option !== implied)
    .sort()
    .join(" ");
}

/** The chain or target that a rule hands its packets to (`-j`, `-g`). */
export function targetOf(spec: string): string | undefined {
  return optionsOf(tokens(spec)).find(([flag]) => flag === "-j" || flag === "-g")?.[1];
}

/** Words as iptables-restore splits them: blanks apart, double quotes and backslashes heeded. */
function tokens(spec: string): string[] {
  return [...spec.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => bare ?? `"${quoted}"`,
  );
}

/** `[flag, ...values]`; a `!` before a flag is the first of its value. */
function optionsOf(words: readonly string[]): string[][] {
  const options: string[][] = [];
  let negated = false;
  for (const word of words) {
    if (word === "!") negated = true;
    else if (word.startsWith("-")) {
      options.push(negated ? [word, "!"] : [word]);
      negated = false;
    } else options.at(-1)?.push(word);
  }
  return options;
}

function normalised([flag = "", ...values]: readonly string[]): string {
  return [flag, ...values.map((value) => normalisedValue(flag, value))].join(" ");
}

function normalisedValue(flag: string, value: string): string {
  if (flag === "-p") return PROTOCOLS[value] ?? value;
  if (flag !== "-d" && flag !== "-s") return value;
  const cidr = parseCidr(value);
  return cidr instanceof Error ? value : formatCidr(cidr);
}
