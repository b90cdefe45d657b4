/** Writes the files that are made from the code, or with `--check` says which of them are stale and how to mend it. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { REASONS } from "../core/src/reasons.ts";
import { helm } from "./chart/helm.ts";
import { installManifest } from "./chart/manifests.ts";
import { chartReference } from "./chart/reference.ts";
import { valuesSchema } from "./chart/values.ts";
import { crdManifest, crdTemplate } from "./crds/files.ts";

const ROOT = resolve(import.meta.dirname, "..");

const reasons = `# Reasons

Every verdict carries one of these codes: in the access log (\`reason\`, \`would_be\`), in \`/stats\` (\`egress.<reason>\`) and
in the metrics. The set is closed; this page is generated from \`core/src/reasons.ts\`.

| reason | what it means |
|---|---|
${Object.entries(REASONS)
  .map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`)
  .join("\n")}
`;

const MANIFEST = "manifests/install.yaml";

/** In this order: helm refuses a chart whose values are not those of its schema. */
const FILES: Readonly<Record<string, () => string>> = {
  "docs/reference/reasons.md": () => reasons,
  "docs/reference/chart.md": chartReference,
  "charts/sallyport/templates/crds.yaml": crdTemplate,
  "manifests/crds.yaml": crdManifest,
  "charts/sallyport/values.schema.json": () => formatted("schema.json", valuesSchema()),
  ...("path" in helm && { [MANIFEST]: installManifest }),
};
if ("missing" in helm) console.error(`NOT CHECKED HERE: ${MANIFEST}: ${helm.missing}`);

/** As `npm run format` would write it. */
function formatted(name: string, json: object): string {
  const biome = join(ROOT, "node_modules/.bin/biome");
  return execFileSync(biome, ["format", "--stdin-file-path", name], {
    input: JSON.stringify(json, null, 2),
    encoding: "utf8",
  });
}

const check = process.argv.includes("--check");
for (const [name, make] of Object.entries(FILES)) {
  const path = join(ROOT, name);
  const content = make();
  if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
  if (check) {
    console.error(`${name} is stale: npm run generate`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.log(`wrote ${name}`);
  }
}
