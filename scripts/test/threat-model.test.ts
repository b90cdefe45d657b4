import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "../..");
const text = readFileSync(join(ROOT, "docs/threat-model.md"), "utf8").replaceAll("\n", " ");
const shown = [...text.matchAll(/`([\w/-]+\.test\.ts)`(?:: \*([^*]+)\*)?/g)];

test("every test that the threat model points at is there, under the name that it gives", () => {
  assert.ok(shown.length > 20);
  for (const [, file = "", name = ""] of shown) {
    assert.ok(existsSync(join(ROOT, file)), file);
    const words = name.replaceAll(/\s+/g, " ");
    assert.ok(readFileSync(join(ROOT, file), "utf8").includes(words), `${file}: ${words}`);
  }
});
