import type { Stat } from "../stats.ts";

/** Envoy's form: one `name: value` a line, sorted. */
export function formatText(stats: readonly Stat[]): string {
  return sorted(stats)
    .map(({ name, value }) => `${name}: ${value}\n`)
    .join("");
}

/** Envoy's `format=json`: `{"stats": [{"name", "value"}]}`, sorted. */
export function formatJson(stats: readonly Stat[]): string {
  return `${JSON.stringify({ stats: sorted(stats).map(({ name, value }) => ({ name, value })) }, null, 1)}\n`;
}

/** Prometheus text exposition format 0.0.4: every family once, counters ending in `_total`. */
export function formatPrometheus(stats: readonly Stat[]): string {
  const families = new Map<string, Stat[]>();
  for (const stat of sorted(stats)) {
    const total = stat.kind === "counter" && !stat.family.endsWith("_total") ? "_total" : "";
    const family = `sallyport_${stat.family}${total}`;
    families.set(family, [...(families.get(family) ?? []), stat]);
  }
  return [...families]
    .map(([family, members]) => {
      const lines = members.map(({ labels, value }) => `${family}${labelText(labels)} ${value}\n`);
      return `# TYPE ${family} ${members[0]?.kind}\n${lines.join("")}`;
    })
    .join("");
}

function labelText(labels: Stat["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function sorted(stats: readonly Stat[]): Stat[] {
  return [...stats].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
