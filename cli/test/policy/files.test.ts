import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Bed, boundary, RULES } from "./bed.ts";

const bed = new Bed();
after(() => bed.close());
const explain = (files: readonly string[], stdin = "") =>
  bed.run(["explain", ...files.flatMap((file) => ["-f", file]), "api.example.com:443"], stdin);

test("every mistake of every file is told at once, with file, line, document, object, path and what is right", async () => {
  const rules = bed.file(
    "mistakes.yaml",
    `apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: web, namespace: shop }
spec:
  to:
    - hosts:
        - "*"
        - https://api.example.com/
        - bücher.example
      port: [{ port: 443, protocol: tls }]
    - cidrs: [10.20.1.0/16]
      ports:
        - port: 5432
          protocol: postgres
---
apiVersion: sallyport.dev/v1alpha1
kind: EgresRule
metadata: { name: misspelt }
---
apiVersion: sallyport.dev/v1beta1
kind: EgressBoundary
metadata: { name: corp }
spec: { mode: enforced }
`,
  );
  const broken = bed.file("broken.yaml", "a: [\n");
  const gone = `${bed.folder}/gone.yaml`;
  const { status, stdout, stderr } = await explain([rules, broken, gone]);
  assert.deepEqual([status, stdout], [2, ""]);
  for (const line of [
    `${rules}:7 (document 1): EgressRule shop/web: spec.to[0].hosts[0]: "*" is no host: for any public destination write cidrs: ["0.0.0.0/0", "::/0"]`,
    `${rules}:8 (document 1): EgressRule shop/web: spec.to[0].hosts[1]: "https://api.example.com/" is not a host: expected a name alone, without scheme or path`,
    `${rules}:9 (document 1): EgressRule shop/web: spec.to[0].hosts[2]: "bücher.example" is not a host: write it in A-labels: xn--bcher-kva.example`,
    `${rules}:6 (document 1): EgressRule shop/web: spec.to[0].ports: it is missing: expected array`,
    `${rules}:10 (document 1): EgressRule shop/web: spec.to[0].port: no such field; expected hosts, cidrs, ports`,
    `${rules}:11 (document 1): EgressRule shop/web: spec.to[1].cidrs[0]: "10.20.1.0/16" has host bits set: write 10.20.0.0/16 for the range, or 10.20.1.0/32 for the one address`,
    `${rules}:14 (document 1): EgressRule shop/web: spec.to[1].ports[0].protocol: Invalid option: expected one of "tls"|"http"|"https"|"tcp"`,
    `${rules}:17 (document 2): EgresRule misspelt: kind: expected EgressRule or EgressBoundary`,
    `${rules}:20 (document 3): EgressBoundary corp: apiVersion: Invalid input: expected "sallyport.dev/v1alpha1"`,
    `${rules}:23 (document 3): EgressBoundary corp: spec.mode: Invalid option: expected one of "enforce"|"audit"`,
    `cannot read ${gone}: there is no such file or folder`,
  ])
    assert.ok(stderr.split("\n").includes(`sallyport explain: ${line}`), `${line}\nin\n${stderr}`);
  assert.match(stderr, new RegExp(`sallyport explain: ${broken}:2:1: Flow sequence`));
  assert.equal(stderr.trimEnd().split("\n").length, 12);
});

test("what is not policy is passed over, with one line on standard error", async () => {
  const mixed = bed.file(
    "mixed.yaml",
    `${RULES}---\nkind: Service\napiVersion: v1\n---\nkind: Deployment\napiVersion: apps/v1\n---\nkind: Deployment\napiVersion: apps/v1\n---\n# nothing\n`,
  );
  const { status, stderr } = await explain([mixed]);
  assert.equal(status, 0);
  assert.equal(
    stderr,
    "skipped, being neither EgressRule nor EgressBoundary: 1 Service, 2 Deployment\n",
  );
});

test("an EgressRule of somebody else's group is not taken for one", async () => {
  const other = bed.file(
    "other.yaml",
    "apiVersion: other.dev/v1\nkind: EgressRule\nmetadata: {name: web}\n",
  );
  const { status, stderr } = await explain([other]);
  assert.equal(status, 2);
  assert.match(stderr, /there is no EgressRule and no EgressBoundary in it/);
});

test("folders, JSON, lists of kubectl and standard input are read as kubectl reads them", async () => {
  const rule = (host: string, name: string) => ({
    apiVersion: "sallyport.dev/v1alpha1",
    kind: "EgressRule",
    metadata: { name, namespace: "shop", resourceVersion: "7", managedFields: [] },
    spec: { to: [{ hosts: [host], ports: [{ port: 443, protocol: "tls" }] }] },
    status: { anything: true },
  });
  const list = {
    apiVersion: "v1",
    kind: "List",
    items: [rule("api.example.com", "a")],
    metadata: { resourceVersion: "" },
  };
  const typed = {
    apiVersion: "sallyport.dev/v1alpha1",
    kind: "EgressRuleList",
    items: [rule("api.example.com", "b")],
  };
  for (const [name, content] of [
    ["list/a.json", JSON.stringify(list)],
    ["typed/b.yml", JSON.stringify(typed)],
    ["plain/c.yaml", RULES],
  ] as const) {
    bed.file(name, content);
    bed.file(`${name}/../notes.txt`, ": no : yaml");
    assert.equal((await explain([`${bed.folder}/${name.split("/")[0]}`])).status, 0, name);
  }
  assert.equal((await explain(["-"], RULES)).status, 0);
});

test("a mistake in a list is told at its line, with its place in the list", async () => {
  const list = bed.file(
    "in-list.yaml",
    `apiVersion: v1
kind: List
items:
  - ${RULES.trimEnd().replaceAll("\n", "\n    ")}
  - kind: EgressRule
`,
  );
  const { stderr } = await explain([list]);
  assert.equal(
    stderr,
    `sallyport explain: ${list}:19: items[1]: expected an apiVersion and a kind\n`,
  );
});

test("a mistake is told at the line of its field, not where the value begins", async () => {
  const list = bed.file(
    "no-list.yaml",
    RULES.replace(/to:[\s\S]*/, "to:\n\n    hosts: [a.example]\n"),
  );
  const { stderr } = await explain([list]);
  assert.match(stderr, /no-list\.yaml:5: EgressRule shop\/web: spec\.to: .*expected array/);
});

test("the same rule in two places is a mistake: one of them would not count", async () => {
  const [one, two] = [bed.file("one.yaml", RULES), bed.file("two.yaml", `\n\n${RULES}`)];
  const { status, stderr } = await explain([one, two]);
  assert.equal(status, 2);
  assert.equal(
    stderr,
    `sallyport explain: ${two}:5: EgressRule shop/web: metadata.name: it is at ${one}:1, too: remove one\n`,
  );
});

test("aliases and merge keys are read, and a mistake behind them still has a line", async () => {
  const aliased = bed.file(
    "aliased.yaml",
    `apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: corp }
spec:
  allow: &entries
    - hosts: [a b]
      ports: [{ port: 443, protocol: tls }]
  baseline: *entries
`,
  );
  const { status, stderr } = await explain([aliased]);
  assert.equal(status, 2);
  assert.match(stderr, /aliased\.yaml:6: .*spec\.allow\[0\]\.hosts\[0\]: "a b" is not a host/);
  assert.match(stderr, /aliased\.yaml:8: .*spec\.baseline\[0\]\.hosts\[0\]: "a b" is not a host/);
});

test("a file of boundaries alone is enough: everything else is refused", async () => {
  const only = bed.file(
    "only.yaml",
    boundary("b", "{baseline: [{hosts: [api.example.com], ports: [{port: 443, protocol: tls}]}]}"),
  );
  const { status, stdout } = await explain([only]);
  assert.equal(status, 0);
  assert.match(stdout, /allowed\.baseline\)\n {2}by +boundary b spec\.baseline\[0\]/);
});
