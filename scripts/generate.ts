/** Writes the files that are made from the code, or with `--check` says which of them are stale and how to mend it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { REASONS } from "../core/src/reasons.ts";

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

const FILES: Readonly<Record<string, string>> = { "docs/reference/reasons.md": reasons };

const check = process.argv.includes("--check");
for (const [name, content] of Object.entries(FILES)) {
  const path = join(ROOT, name);
  if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
  if (check) {
    console.error(`${name} is stale: npm run generate`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, content);
    console.log(`wrote ${name}`);
  }
}
