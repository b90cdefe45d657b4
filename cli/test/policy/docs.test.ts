import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { ExternalNameService } from "@sallyport/cli/policy/external-name-service";
import { evaluate } from "@sallyport/core/evaluate";
import { explain } from "@sallyport/core/explain";
import { formatExplanation } from "@sallyport/core/explanation";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { parse } from "yaml";
import type * as z from "zod";
import { Bed } from "./bed.ts";

const REFERENCE = resolve(import.meta.dirname, "../../../docs/reference");
const bed = new Bed();
after(() => bed.close());

/** The fenced YAML of a document of the reference. */
function blocksOf(name: string): string[] {
  const text = readFileSync(join(REFERENCE, name), "utf8");
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  ...{ EgressRule, EgressBoundary, Service: ExternalNameService },
};

const examples = blocksOf("rules.md");

test("rules.md has examples", () => assert.ok(examples.length >= 10));

for (const block of examples) {
  const object = parse(block);
  test(`rules.md: ${object.kind} ${object.metadata?.name} is valid`, () => {
    const schema = SCHEMAS[object.kind];
    assert.ok(schema);
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
  ["httpbin-org", ["-f", example("httpbin"), "http://httpbin/get"], 0],
  ["httpbin-org", ["-f", example("httpbin"), "http://httpbin.shop.svc.cluster.local/get"], 0],
  ["httpbin-org", ["http://httpbin/get"], 1],
  ["httpbin-org", ["-f", example("httpbin"), "https://httpbin/get"], 1],
  ["www-google-com", ["-f", example("search"), "http://search:443/"], 0],
  ["www-google-com", ["-f", example("search"), "https://search/"], 0],
  ["www-google-com", ["https://www.google.com/"], 0],
  ["www-google-com", ["http://www.google.com/"], 1],
  ["apis", ["https://storage.googleapis.com/"], 0],
  ["apis", ["http://storage.googleapis.com:443/"], 0],
  ["apis", ["http://storage.googleapis.com/"], 1],
  ["apis", ["https://googleapis.com/"], 1],
  ["packages", ["deb.example:80"], 0],
  ["packages", ["http://deb.example/"], 0],
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

test("rules.md: what it shows of explain is what explain says", async () => {
  const text = readFileSync(join(REFERENCE, "rules.md"), "utf8");
  const files = ["-f", example("httpbin"), "-f", example("httpbin-org")];
  const { stdout } = await bed.run(["explain", ...files, "http://httpbin/get"]);
  const command = "$ sallyport explain -f httpbin.yaml -f httpbin-org.yaml http://httpbin/get";
  assert.ok(text.includes(`${command}\n${stdout}\`\`\``), stdout);
});

test("rules.md: the refusal that it shows is the one that the rule apis brings about", () => {
  const text = readFileSync(join(REFERENCE, "rules.md"), "utf8");
  const apis = parse(examples.find((block) => parse(block).metadata.name === "apis") ?? "");
  const source = PolicySource.parse({
    ...{ mode: "enforce", pod: { namespace: "shop" }, resolvers: ["10.96.0.10"], rules: [apis] },
  });
  const policy = new Policy(snapshotOf(source));
  const attempt = {
    address: "142.250.72.27",
    port: 80,
    seen: { protocol: "http", name: "storage.googleapis.com" },
  } as const;
  const denied = evaluate(policy, attempt);
  assert.ok(denied.verdict === "deny");
  const said = formatExplanation(explain(policy, attempt, denied));
  assert.ok(text.includes(`$ curl http://storage.googleapis.com/\n${said}\`\`\``), said);
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
