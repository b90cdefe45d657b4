import type { Destination, EgressRule } from "./rules.ts";

/**
 * A rule as a person would write it, for kubectl. What a person would quote is quoted, as JSON, which YAML holds; what is
 * seldom there (labels, a selector) is JSON as a whole.
 */
export function formatRule({ apiVersion, kind, metadata, spec }: EgressRule): string {
  const { selector, to } = spec;
  const head = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return [
    `apiVersion: ${apiVersion}\nkind: ${kind}\n`,
    `metadata: { ${head.map(([key, value]) => `${key}: ${scalar(value)}`).join(", ")} }\n`,
    `spec:\n${selector ? `  selector: ${JSON.stringify(selector)}\n` : ""}  to:\n`,
    ...to.map(entry),
  ].join("");
}

function entry({ hosts, cidrs, ports }: Destination): string {
  const lines = [
    ...(hosts ? [`hosts: ${list(hosts)}`] : []),
    ...(cidrs ? [`cidrs: ${list(cidrs)}`] : []),
    `ports: [${ports.map(portsText).join(", ")}]`,
  ];
  return lines.map((line, i) => `    ${i === 0 ? "- " : "  "}${line}\n`).join("");
}

function portsText({ port, endPort, protocol }: Destination["ports"][number]): string {
  return `{ port: ${port}, ${endPort ? `endPort: ${endPort}, ` : ""}protocol: ${protocol} }`;
}

function list(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;
}

/** Bare where no reader of YAML takes it for anything but a text. */
function scalar(value: unknown): string {
  const isBare = typeof value === "string" && /^[a-z][a-z0-9-]*$/.test(value) && !WORDS.has(value);
  return isBare ? value : JSON.stringify(value);
}

/** What YAML 1.1 or 1.2 takes for a boolean or for nothing. */
const WORDS: ReadonlySet<string> = new Set("null true false yes no on off y n".split(" "));
