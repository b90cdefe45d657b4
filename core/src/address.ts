/**
 * IP addresses and CIDRs as values. An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 §2.5.5.2) *is* its IPv4
 * address here: it is unmapped once, when it is parsed, so that no comparison can be talked around by spelling.
 */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Cidr {
  readonly family: 4 | 6;
  /** The first address of the range; host bits are zero. */
  readonly base: bigint;
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED_PREFIX = 0xffffn;
const DOT = ".".charCodeAt(0) - 48;

/** Dotted-decimal IPv4 or RFC 4291 IPv6 text without a zone; undefined when it is neither. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(":")) {
    const value = parseIPv4(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const value = parseIPv6(text);
  if (value === undefined) return undefined;
  return value >> 32n === MAPPED_PREFIX
    ? { family: 4, value: value & 0xffff_ffffn }
    : { family: 6, value };
}

/** Dotted decimal, or RFC 5952 for IPv6. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? formatIPv4(value) : formatIPv6(value);
}

/** The one spelling of an address, or undefined where the text is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address);
}

/** `a.b.c.d/n`, `x::/n`, or a bare address (its single-address range); an Error says what is wrong and what would be right. */
export function parseCidr(text: string): Cidr | Error {
  const [host = "", length, ...rest] = text.split("/");
  const address = rest.length === 0 ? parseAddress(host) : undefined;
  if (!address)
    return new Error(`"${text}" is not a CIDR: expected for example 10.0.0.0/8 or 2001:db8::/32`);
  const bits = BITS[address.family];
  const prefix = length === undefined ? bits : prefixOf(length, host, address.family);
  if (prefix === undefined)
    return new Error(`"${text}" is not a CIDR: expected a prefix length from 0 to ${bits}`);
  const hostBits = (1n << BigInt(bits - prefix)) - 1n;
  if (address.value & hostBits) {
    const base = formatAddress({ ...address, value: address.value & ~hostBits });
    return new Error(
      `"${text}" has host bits set: write ${base}/${prefix} for the range, or ${formatAddress(address)}/${bits} for the one address`,
    );
  }
  return { family: address.family, base: address.value, prefix };
}

export function formatCidr({ family, base, prefix }: Cidr): string {
  return `${formatAddress({ family, value: base })}/${prefix}`;
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (cidr.family !== address.family) return false;
  const shift = BigInt(BITS[cidr.family] - cidr.prefix);
  return cidr.base >> shift === address.value >> shift;
}

/** The prefix length; a mapped IPv6 range (::ffff:10.0.0.0/104) is counted as the IPv4 range that it is. */
function prefixOf(text: string, host: string, family: 4 | 6): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const written = Number(text);
  const prefix = family === 4 && host.includes(":") ? written - 96 : written;
  return prefix >= 0 && prefix <= BITS[family] ? prefix : undefined;
}

function parseIPv4(text: string): bigint | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = 0; i <= text.length; i++) {
    const digit = i < text.length ? text.charCodeAt(i) - 48 : DOT;
    if (digit === DOT) {
      if (octet < 0 || ++octets > 4) return undefined;
      value = value * 256 + octet;
      octet = -1;
    } else {
      // A leading zero is octal to some readers and decimal to others: refused (RFC 6943 §3.1.1).
      if (digit < 0 || digit > 9 || octet === 0) return undefined;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return undefined;
    }
  }
  return octets === 4 ? BigInt(value) : undefined;
}

function parseIPv6(text: string): bigint | undefined {
  const groups: number[] = [];
  let at = text.startsWith("::") ? 2 : 0;
  /** How many groups stand before the "::". */
  let gap = at === 2 ? 0 : -1;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    const end = colon < 0 ? text.length : colon;
    if (colon < 0 && text.includes(".", at)) {
      const v4 = parseIPv4(text.slice(at));
      if (v4 === undefined) return undefined;
      groups.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
      break;
    }
    const group = parseGroup(text, at, end);
    if (group === undefined) return undefined;
    groups.push(group);
    at = end + 1;
    if (text[at] === ":") {
      if (gap >= 0) return undefined;
      gap = groups.length;
      at++;
    } else if (at === text.length) return undefined;
  }
  const missing = 8 - groups.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  return joined(groups, gap < 0 ? 8 : gap, missing);
}

/** One to four hexadecimal digits. */
function parseGroup(text: string, from: number, to: number): number | undefined {
  if (to === from || to - from > 4) return undefined;
  let value = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    const letter = (code | 0x20) - 97; // 0x20 is what makes a capital small
    if (code >= 48 && code <= 57) value = value * 16 + code - 48;
    else if (letter >= 0 && letter <= 5) value = value * 16 + letter + 10;
    else return undefined;
  }
  return value;
}

/** The 128 bits of 16-bit groups, with zeros in the gap. Through a scratch buffer: shifting bigints costs several times that. */
function joined(groups: readonly number[], gap: number, missing: number): bigint {
  for (let i = 0; i < 8; i++) {
    const group = i < gap ? groups[i] : i < gap + missing ? 0 : groups[i - missing];
    SCRATCH.setUint16(2 * i, group ?? 0);
  }
  return (SCRATCH.getBigUint64(0) << 64n) | SCRATCH.getBigUint64(8);
}

const SCRATCH = new DataView(new ArrayBuffer(16));

function formatIPv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

function formatIPv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const run = longestZeroRun(groups);
  if (run.length < 2) return groups.join(":");
  return `${groups.slice(0, run.start).join(":")}::${groups.slice(run.start + run.length).join(":")}`;
}

/** RFC 5952 §4.2.3: the longest run of zero groups, the first of equals. */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
