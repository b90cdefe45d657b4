import type { EgressRule } from "./rules.ts";

/** A rule as a person would write it, for kubectl. Its texts are hosts, CIDRs and object names: quoted, no escapes needed. */
export function formatRule({ apiVersion, kind, metadata, spec }: EgressRule): string {
  const list = (texts: readonly string[]) => `[${texts.map((text) => `"${text}"`).join(", ")}]`;
  const entries = spec.to.map(({ hosts, cidrs, ports }) => {
    const lines = [
      ...(hosts ? [`hosts: ${list(hosts)}`] : []),
      ...(cidrs ? [`cidrs: ${list(cidrs)}`] : []),
      `ports: [${ports
        .map(
          ({ port, endPort, protocol }) =>
            `{ port: ${port}, ${endPort ? `endPort: ${endPort}, ` : ""}protocol: ${protocol} }`,
        )
        .join(", ")}]`,
    ];
    return lines.map((line, i) => `    ${i === 0 ? "- " : "  "}${line}\n`).join("");
  });
  return [
    `apiVersion: ${apiVersion}\nkind: ${kind}\n`,
    `metadata: { name: ${metadata.name}${metadata.namespace ? `, namespace: ${metadata.namespace}` : ""} }\n`,
    `spec:\n  to:\n${entries.join("")}`,
  ].join("");
}
