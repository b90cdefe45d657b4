import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { type Code, FINDINGS, needsAction } from "@sallyport/cli/check/findings";
import { reportJson } from "@sallyport/cli/check/json";
import type { Report } from "@sallyport/cli/check/report";
import { reportText } from "@sallyport/cli/check/text";

const REPORT: Report = {
  ...{ version: "0.1.0", context: "kind", server: "https://127.0.0.1", kubernetes: "v1.34.4" },
  ...{ installed: true, install: "sallyport-system" },
  controller: { version: "0.1.0", available: 2, wanted: 2 },
  webhooks: 6,
  certificateDaysLeft: 364,
  permissionsGranted: 17,
  trials: [{ namespace: "shop", injection: "enabled", outcome: "injected", ms: 12 }],
  inhabitants: [],
  policyPort: true,
  policy: undefined,
  findings: [],
};

const finding = (code: Code, subject: string) => ({
  ...{ code, subject, message: "it is so", remedy: "do this" },
});

test("what is said of several in the same words is said once, and counted once", () => {
  const findings = [finding("webhook_missing", "a"), finding("webhook_missing", "b")];
  const lines = reportText({ ...REPORT, findings });
  assert.deepEqual(lines.slice(-5), [
    "  ✗ a, b  (webhook_missing)",
    "    it is so",
    "    → do this",
    "",
    "1 finding to act upon",
  ]);
});

test("a finding that is only to be known leaves all well", () => {
  const findings = [finding("versions_differ", "sallyport")];
  const lines = reportText({ ...REPORT, findings });
  assert.ok(lines.includes("  · sallyport  (versions_differ)"));
  assert.equal(lines.at(-1), "all is well");
  assert.equal(needsAction(findings), false);
  assert.equal(reportJson({ ...REPORT, findings }).healthy, true);
});

test("what nobody can tell has a question mark, and null in JSON", () => {
  const report = { ...REPORT, controller: undefined, webhooks: undefined, trials: [] };
  const text = reportText(report).join("\n");
  assert.match(
    text,
    /\? controller +not known\n {2}\? webhooks +not known\n {2}\? admission +not known/,
  );
  const { installation } = reportJson(report);
  assert.deepEqual([installation.available, installation.webhooks], [null, null]);
});

test("the reference lists every finding, and whether it is to be acted upon", () => {
  const page = resolve(import.meta.dirname, "../../../docs/reference/check.md");
  const rows = [...readFileSync(page, "utf8").matchAll(/^\| `([a-z_]+)` \| (action|note) \|/gm)];
  assert.deepEqual(Object.fromEntries(rows.map(([, code, level]) => [code, level])), FINDINGS);
});
