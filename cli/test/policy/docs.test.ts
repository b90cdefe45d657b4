import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { parse } from "yaml";
import { Bed } from "./bed.ts";

const REFERENCE = resolve(import.meta.dirname, "../../../docs/reference");
const bed = new Bed();
after(() => bed.close());

/** The fenced YAML of a document of the reference. */
function blocksOf(name: string): string[] {
  const text = readFileSync(join(REFERENCE, name), "utf8");
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

const examples = blocksOf("rules.md");

test("rules.md has examples", () => assert.ok(examples.length >= 10));

for (const block of examples) {
  const object = parse(block);
  test(`rules.md: ${object.kind} ${object.metadata?.name} is valid`, () => {
    const schema = object.kind === "EgressRule" ? EgressRule : EgressBoundary;
    assert.deepEqual(schema.safeParse(object).error, undefined);
  });
}

test("rules.md: its examples are different objects", () => {
  const names = examples.map((block) => parse(block).metadata.name);
  assert.equal(new Set(names).size, names.length);
});

const example = (name: string) => {
  const block = examples.find((each) => parse(each).metadata.name === name);
  assert.ok(block, name);
  return bed.file(`${name}.yaml`, block);
};

/** What the text around the examples says of them. */
for (const [name, args, status] of [
  ["googleapis", ["storage.googleapis.com:443", "-l", "app=details"], 0],
  ["googleapis", ["storage.googleapis.com:443", "-l", "app=reviews"], 1],
  ["googleapis", ["googleapis.com:443", "-l", "app=details"], 1],
  ["googleapis", ["10.20.3.4:5432", "-l", "app=details"], 0],
  ["payments", ["api.payments.example:443", "-l", "app=checkout"], 0],
  [
    "payments",
    ["api.payments.example:443", "-l", "app=checkout", "--answer", "api.payments.example=10.0.0.1"],
    1,
  ],
  ["storage", ["a.b.storage.example:443"], 0],
  ["storage", ["storage.example:443"], 0],
  ["orders-db", ["orders.db.example:5432"], 0],
  ["orders-db", ["93.184.215.14:5432"], 1],
  ["vault", ["vault.corp.internal:8200", "--answer", "vault.corp.internal=10.30.0.7"], 0],
  ["vault", ["vault.corp.internal:8200", "--answer", "vault.corp.internal=10.31.0.7"], 1],
  ["vault", ["vault.corp.internal:8200"], 1],
  ["mainframe", ["10.40.7.9:1417"], 0],
  ["mainframe", ["[fd12:3456:789a::1]:1414"], 0],
  ["mainframe", ["10.40.7.9:1421"], 1],
  ["packages", ["deb.example:80"], 0],
  ["everywhere", ["169.254.169.254:80"], 1],
  ["everywhere", ["telemetry.corp.example:443"], 0],
  ["watch-shop", ["anything.example:443", "-n", "shop"], 0],
  ["watch-shop", ["anything.example:443", "-n", "blog"], 1],
  ["production", ["telemetry.example.com:443", "--namespace-labels", "env=production"], 0],
  ["production", ["paste.example.com:443", "--namespace-labels", "env=production"], 1],
] as const)
  test(`rules.md: under ${name}, ${args.join(" ")} gives exit status ${status}`, async () => {
    const ran = await bed.run(["explain", "-f", example(name), ...args]);
    assert.equal(ran.status, status, ran.stdout + ran.stderr);
  });

test("rules.md: a range around the metadata service does not hold it; its own address does", async () => {
  const rule = (cidr: string) =>
    bed.file(
      "metadata.yaml",
      examples[0]
        ?.replace("10.20.0.0/16", cidr)
        .replace("5432", "80")
        .replace(/ {2}selector.*\n/, "") ?? "",
    );
  for (const [cidr, status] of [
    ["0.0.0.0/0", 1],
    ["169.254.0.0/16", 1],
    ["169.254.169.254/32", 0],
  ] as const)
    assert.equal(
      (await bed.run(["explain", "-f", rule(cidr), "--protocol", "tcp", "169.254.169.254:80"]))
        .status,
      status,
      cidr,
    );
});

test("policy-tests.md: its files hold as it shows", async () => {
  for (const block of blocksOf("policy-tests.md")) {
    const [, name] = /^# (\S+\.yaml)\n/.exec(block) ?? [];
    assert.ok(name, block);
    bed.file(`tests/${name}`, block);
  }
  const { status, stdout, stderr } = await bed.run(["test", join(bed.folder, "tests/cases.yaml")]);
  assert.deepEqual([status, stderr], [0, ""]);
  const text = readFileSync(join(REFERENCE, "policy-tests.md"), "utf8");
  assert.ok(text.includes(`$ sallyport test cases.yaml\n${stdout}\`\`\``), stdout);
  const more = await bed.run(["test", join(bed.folder, "tests/more-cases.yaml")]);
  assert.equal(more.status, 0, more.stdout + more.stderr);
});
