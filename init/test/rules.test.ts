import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { InitConfig } from "../src/contract.ts";
import { plan } from "../src/plan.ts";
import { rulesFor } from "../src/rules.ts";
import { CONFIGS, configNamed } from "./configs.ts";

const GOLDEN = join(import.meta.dirname, "golden");

function rendered(config: InitConfig): string {
  return ([4, 6] as const)
    .map((family) => {
      const step = plan(new Map(), rulesFor(config, family));
      return `# IPv${family}\n${step.kind === "restore" ? step.document : ""}`;
    })
    .join("\n");
}

describe("the documents for iptables-restore are those that were reviewed", () => {
  for (const name of Object.keys(CONFIGS))
    test(`golden/${name}.rules (after a change: UPDATE_GOLDEN=1 npm test init/test/rules)`, () => {
      const file = join(GOLDEN, `${name}.rules`);
      const text = rendered(configNamed(name));
      if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, "utf8"));
    });
});

const base = { proxyUid: 20_001, proxyGid: 20_002 };

test("an address is in the document of its own family alone, however it is spelled", () => {
  const config = InitConfig.parse({
    ...base,
    excludeCidrs: ["198.51.100.7", "::ffff:203.0.113.0/120", "2001:DB8::/32"],
    resolvers: ["::ffff:10.96.0.10", "FD00::A"],
  });
  const of = (family: 4 | 6) =>
    JSON.stringify(rulesFor(config, family)).match(/-d [\da-f.:]+\/\d+/g) ?? [];
  const [v4, v6] = [new Set(of(4)), new Set(of(6))];
  assert.deepEqual([...v4].sort(), [
    "-d 10.96.0.10/32",
    "-d 127.0.0.0/8",
    "-d 198.51.100.7/32",
    "-d 203.0.113.0/24",
  ]);
  assert.deepEqual([...v6].sort(), ["-d 2001:db8::/32", "-d ::1/128", "-d fd00::a/128"]);
});

test("what is said twice is a rule once", () => {
  const once = InitConfig.parse({ ...base, excludeCidrs: ["192.0.2.1"], excludePorts: [22] });
  const twice = InitConfig.parse({
    ...base,
    excludeCidrs: ["192.0.2.1", "192.0.2.1/32"],
    excludePorts: [22, 22],
  });
  assert.deepEqual(rulesFor(twice, 4), rulesFor(once, 4));
});
