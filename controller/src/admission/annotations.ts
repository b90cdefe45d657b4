import { formatCidr, parseCidr } from "@sallyport/core/address";
import { parsePort } from "@sallyport/core/ports";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { type CaBundle, parseCaBundle } from "./ca-bundle.ts";
import { CARRIED, INJECT, PREFIX, STATUS } from "./names.ts";
import { parseQuantity, type Resource } from "./quantity.ts";

/** What a pod asks of its own sidecar. Absent means: as the installation says. */
export interface PodSettings {
  readonly includeCidrs?: readonly string[];
  readonly excludeCidrs?: readonly string[];
  readonly includePorts?: readonly number[];
  readonly excludePorts?: readonly number[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly cpuLimit?: string;
  readonly memoryLimit?: string;
  readonly logLevel?: ProxyConfig["logLevel"];
  readonly caBundle?: CaBundle;
}

type Parse = (value: string) => unknown | Error;

/** Comma-separated, spaces allowed, at least one; what is written twice counts once. */
const listOf =
  <T>(what: string, parseOne: (text: string) => T | Error): Parse =>
  (value) => {
    const items = value.split(",").map((item) => item.trim());
    if (items.includes("")) return new Error(`expected ${what}, separated by commas`);
    const parsed = items.map(parseOne);
    const errors = parsed.filter((item) => item instanceof Error);
    if (errors.length === 0) return [...new Set(parsed)];
    return new Error(errors.map(({ message }) => message).join("; "));
  };

const cidrs = listOf("CIDRs such as 10.0.0.0/8", (text) => {
  const cidr = parseCidr(text);
  return cidr instanceof Error ? cidr : formatCidr(cidr);
});

const ports = listOf(
  "ports from 1 to 65535",
  (text) => parsePort(text) ?? new Error(`"${text}" is not a port: expected 1 to 65535`),
);

const quantity =
  (resource: Resource): Parse =>
  (value) => {
    const parsed = parseQuantity(resource, value);
    return parsed instanceof Error ? parsed : value;
  };

const LEVELS = ProxyConfig.shape.logLevel.unwrap().options;
const logLevel: Parse = (value) =>
  LEVELS.includes(value as (typeof LEVELS)[number])
    ? value
    : new Error(`expected one of ${LEVELS.join(", ")}`);

const SETTINGS: Readonly<Record<string, readonly [keyof PodSettings, Parse]>> = {
  [`${PREFIX}include-outbound-cidrs`]: ["includeCidrs", cidrs],
  [`${PREFIX}exclude-outbound-cidrs`]: ["excludeCidrs", cidrs],
  [`${PREFIX}include-outbound-ports`]: ["includePorts", ports],
  [`${PREFIX}exclude-outbound-ports`]: ["excludePorts", ports],
  [`${PREFIX}proxy-cpu`]: ["cpu", quantity("cpu")],
  [`${PREFIX}proxy-memory`]: ["memory", quantity("memory")],
  [`${PREFIX}proxy-cpu-limit`]: ["cpuLimit", quantity("cpu")],
  [`${PREFIX}proxy-memory-limit`]: ["memoryLimit", quantity("memory")],
  [`${PREFIX}log-level`]: ["logLevel", logLevel],
  [`${PREFIX}ca-bundle`]: ["caBundle", parseCaBundle],
};

const KNOWN: readonly string[] = [INJECT, CARRIED, STATUS, ...Object.keys(SETTINGS)];

export interface ParsedAnnotations {
  readonly settings: PodSettings;
  /** Whether the wish for a sidecar itself is malformed: then nobody can tell what is wanted. */
  readonly wishIsUnclear: boolean;
  /** One sentence per malformed value: annotation, value, what was expected. */
  readonly mistakes: readonly string[];
  /** One sentence per annotation in our name that means nothing. */
  readonly unknown: readonly string[];
}

export function parseAnnotations(
  annotations: Readonly<Record<string, string>> = {},
): ParsedAnnotations {
  const settings: Record<string, unknown> = {};
  const mistakes: string[] = [];
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(PREFIX)) continue;
    const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
    if (setting) {
      const parsed = setting[1](value);
      if (parsed instanceof Error) mistakes.push(mistake(name, value, parsed.message));
      else settings[setting[0]] = parsed;
    } else if (!KNOWN.includes(name)) {
      unknown.push(`annotation ${clip(name)} means nothing${suggestion(name)}`);
    }
  }
  const wish = annotations[INJECT];
  const wishIsUnclear = wish !== undefined && wish !== "true" && wish !== "false";
  if (wishIsUnclear) mistakes.unshift(mistake(INJECT, wish, 'expected "true" or "false"'));
  return { settings, wishIsUnclear, mistakes, unknown };
}

function mistake(name: string, value: string, message: string): string {
  return `annotation ${name}: "${clip(value)}": ${message}`;
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The known name that is meant, if one is near. */
function suggestion(name: string): string {
  const written = clip(name.slice(PREFIX.length));
  const [nearest] = KNOWN.map((known) => {
    const short = known.slice(PREFIX.length);
    return { known, share: distance(written, short) / short.length };
  }).sort((a, b) => a.share - b.share);
  return nearest && nearest.share <= 0.5 ? `; did you mean ${nearest.known}?` : "";
}

/** Levenshtein's, of two short names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(
        Math.min(
          (next[j] ?? 0) + 1,
          (row[j + 1] ?? 0) + 1,
          (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
