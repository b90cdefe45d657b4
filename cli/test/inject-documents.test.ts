import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { manifestsOf } from "@sallyport/cli/inject/manifests";
import { joined } from "@sallyport/cli/inject/rewrite";
import fc from "fast-check";
import { parseAllDocuments, stringify } from "yaml";
import { ejected, injected } from "./inject-bed.ts";

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  containers:
  - name: app
    image: b
    securityContext: {runAsNonRoot: true}
`;

/** Ways to write what injection changes, and what stands around it. */
const WRITTEN: Readonly<Record<string, string>> = {
  "lists indented, comments everywhere": `# head

apiVersion: v1   # version
kind: Pod
metadata:
    name:  "p"   # name
    annotations:   # some
        a: b   # last
spec:
    # before
    containers:   # the list
      # first
      - name: app   # app

        image: 'b'
      # end of list
    # end of spec
# end
`,
  "an empty list, null and nothing": `apiVersion: v1
kind: Pod
metadata:
  name: p
  annotations:   # none
spec:
  initContainers: []   # none
  containers: [{name: app, image: b}]
`,
  "null by name": `apiVersion: v1
kind: Pod
metadata: {name: p, annotations: null}
spec: {initContainers: null, containers: [{name: app, image: b}]}
`,
  "the first init container with a comment": `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  initContainers:
  # migrate first
  # of all
  - name: migrate
    image: m
  containers:
  - {name: app, image: b}
  hostAliases:
`,
  "block scalars at the end": `apiVersion: v1
kind: Pod
metadata:
  name: p
  annotations:
    note: |+
      kept

    folded: >-
      one
      two
spec:
  containers:
  - name: app
    image: b
    args:
    - |
      last
`,
  "octal, yes, dates, big and odd numbers": `apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: {d: "2001-01-01", on: "on"}
spec:
  containers: [{name: app, image: b}]
  volumes:
  - {name: v, secret: {defaultMode: 0644, optional: yes}}
  unknown: {date: 2001-01-01, time: 12:30, big: 12345678901234567890, f: 1.10, e: 1e3, n: .inf}
`,
  "windows line ends": POD.replaceAll("\n", "\r\n"),
  "no line end at the end": POD.trimEnd(),
  "document marks": `%YAML 1.1\n--- # go\n${POD}...\n`,
  "a byte order mark": `\ufeff${POD}`,
  "keys in quotes, odd spaces": `"apiVersion": v1
'kind':   Pod
"metadata": { "name" : "p" }
spec:
     "containers":
          -    name: app
               image: b
`,
  "an anchor and aliases elsewhere": `apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: &labels {app: p}
spec:
  containers:
  - name: app
    image: b
    env: &env
    - {name: A, value: "1"}
  - name: other
    image: b
    env: *env
  nodeSelector: *labels
`,
  "JSON in lines": `${JSON.stringify(parse(POD), null, 2)}\n`,
  "JSON with tabs": JSON.stringify(parse(POD), null, "\t"),
  "JSON in one line": JSON.stringify(parse(POD)),
  "a List": `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service   # none of ours
  metadata: {name: s}
- metadata:   # first key
    name: p
  apiVersion: v1
  kind: Pod
  spec:
    containers:
    - name: app
      image: b
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: d, annotations: {sallyport.dev/inject: "true"}}
  spec:
    template:
      metadata: {labels: {app: d}}
      spec: {containers: [{name: app, image: b}]}
`,
};

function parse(text: string): unknown {
  return parseAllDocuments(text).map((document) => document.toJS())[0];
}

for (const [what, text] of Object.entries(WRITTEN)) {
  test(`what is injected comes out again without a trace: ${what}`, async () => {
    const result = await injected(text);
    assert.notEqual(result, text);
    assert.equal(await ejected(result), text);
    assert.equal(await injected(result), result);
  });

  test(`every line of the author's stays, in order: ${what}`, async () => {
    if (what.includes("JSON") || what.includes("null")) return;
    const after = (await injected(text)).split("\n");
    let at = 0;
    for (const line of text.split("\n")) {
      const found = after.indexOf(line, at);
      // A value that was [] is replaced, and a map in braces grows in its line.
      if (found === -1) assert.match(line, /\[\]|\{.*\}/, line);
      else at = found + 1;
    }
  });
}

test("Windows line ends stay, and new lines have them", async () => {
  const after = await injected(WRITTEN["windows line ends"] ?? "");
  assert.ok(after.split("\r\n").length > 50);
  assert.doesNotMatch(after, /[^\r]\n/);
});

test("JSON stays JSON", async () => {
  for (const name of ["JSON in lines", "JSON with tabs", "JSON in one line"]) {
    const after = await injected(WRITTEN[name] ?? "");
    assert.equal(JSON.parse(after).spec.initContainers[0].name, "sallyport-init");
    assert.equal(after.includes("\n"), name !== "JSON in one line");
  }
});

test("documents that hold no pod pass byte for byte", async () => {
  const others = `# c\n---\n\n--- # empty\n---\napiVersion:   v1\nkind: Service\nspec: {ports:  [ 1 ]}\n---\na string\n---\n- a list\n---
apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: {template: {spec: {containers: []}}}\n...\n# end`;
  assert.equal(await injected(others), others);
  assert.equal(await ejected(others), others);
});

test("split and joined again, any text is itself", () => {
  const piece = fc.constantFrom(
    "a: 1",
    "---",
    "...",
    "# c",
    "%YAML 1.2",
    "",
    " ",
    "\n",
    "- x",
    "|\n  t",
    "\r\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("\n");
      try {
        assert.equal(
          manifestsOf(text)
            .map((manifest) => manifest.text)
            .join("") || text,
          text,
        );
      } catch (error) {
        assert.match((error as Error).message, /^\d+:\d+: /);
      }
    }),
    { seed: 20_260_201, numRuns: 1_000 },
  );
});

test("no text crashes the reader: it is read, or told what is wrong and where", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          "a: ",
          "- ",
          "{",
          "}",
          "[",
          "]",
          "&x ",
          "*x",
          "<<: ",
          "!!",
          "\n",
          "  ",
          "'",
          '"',
          "|",
          ",",
        ),
      )
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        manifestsOf(text);
      } catch (error) {
        assert.match((error as Error).message, /^\d+:\d+: /);
      }
    }),
    { seed: 20_260_202, numRuns: 2_000 },
  );
  assert.throws(() => manifestsOf("[".repeat(200_000)), /^Error: \d+:\d+: it is nested too deep$/);
});

test("streams are joined with a mark between them where there is none", () => {
  assert.equal(
    joined(["a: 1", "b: 2\n", "---\nc: 3\n", "", "# x\n---\nd: 4\n"]),
    "a: 1\n---\nb: 2\n---\nc: 3\n# x\n---\nd: 4\n",
  );
});

const FILE = join(import.meta.dirname, "../../../shared/data/pods.jsonl");
const missing =
  !existsSync(FILE) && `SKIPPED: ${FILE} is not there; it holds pods of other projects`;
if (missing) console.error(missing);

test("every fourth pod of other projects goes in and out of YAML and JSON unchanged", {
  skip: missing,
}, async () => {
  const pods = readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line, i) => line !== "" && i % 4 === 0)
    .map((line) => JSON.parse(line).pod);
  const ways = [
    (pod: unknown) => stringify(pod, { indentSeq: false }),
    (pod: unknown) => stringify(pod, { indent: 4 }),
    (pod: unknown) => stringify(pod, { defaultStringType: "QUOTE_SINGLE", lineWidth: 40 }),
    (pod: unknown) => JSON.stringify(pod, null, 2),
  ];
  const text = pods
    .filter(
      ({ spec }) =>
        !/"privileged":true|NET_ADMIN|"hostPID":true|"shareProcess/.test(JSON.stringify(spec)),
    )
    .map((pod, i) => (ways[i % ways.length] ?? JSON.stringify)(pod))
    .join("\n---\n");
  const result = await injected(text);
  assert.ok(result.split("name: sallyport-init").length > 50);
  assert.equal(await ejected(result), text);
});
