import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../src/admission/admission.ts";
import { answerReview, decodeReview } from "../src/admission/review.ts";
import { MAX_DEPTH, parseStrictJson } from "../src/strict-json.ts";
import { POD, reviewOf } from "./server-bed.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const messageOf = (value: unknown) => (value instanceof Error ? value.message : undefined);

for (const [what, text] of [
  ["nothing", ""],
  ["a string cut short", '{"a": "'],
  ["a trailing comma", '{"a": 1,}'],
  ["two values", "{} {}"],
  ["a byte order mark", "\ufeff{}"],
  ["NaN", '{"a": NaN}'],
  ["a key twice", '{"a": 1, "a": 2}'],
  ["a key twice, once escaped", '{"a": 1, "\\u0061": 2}'],
  ["a key twice, deep inside", '[{"x": {"b": [], "c": {}, "b": 0}}]'],
  ["__proto__", '{"a": [{"__proto__": {"allowed": true}}]}'],
  ["__proto__, escaped", '{"\\u005f_proto__": 1}'],
  ["one level too many", `${"[".repeat(MAX_DEPTH + 1)}${"]".repeat(MAX_DEPTH + 1)}`],
  ["a million levels", `${"[".repeat(1e6)}${"]".repeat(1e6)}`],
] as const)
  test(`JSON with ${what} is refused`, () => {
    assert.match(messageOf(parseStrictJson(bytes(text))) ?? "", /^the body is not /);
  });

test("bytes that are no UTF-8 are refused", () => {
  const body = Buffer.concat([bytes('{"a": "'), Buffer.from([0xc3, 0x28]), bytes('"}')]);
  assert.equal(messageOf(parseStrictJson(body)), "the body is not UTF-8");
});

for (const text of [
  '{"a": {"b": 1}, "c": {"b": 2}, "d": ["b", "b"]}',
  '{"a:": "x: \\"y\\": {", "b\\\\": "}", "constructor": {"prototype": 1}}',
  `${"[".repeat(MAX_DEPTH)}${"]".repeat(MAX_DEPTH)}`,
  '"\\\\"',
  " 12 ",
])
  test(`JSON as it should be is read as JSON.parse reads it: ${text.slice(0, 40)}`, () => {
    assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
  });

test("the object of a review is the very object that was sent, unknown fields and all", () => {
  const object = { ...POD, novelty: { "": [null, {}] }, status: null };
  const asked = decodeReview(reviewOf(object, { futureField: 1 }));
  assert.ok(!(asked instanceof Error));
  assert.equal(asked.object, object);
});

test("fields that the API server leaves out are empty", () => {
  const request = { uid: "u", kind: { version: "v1", kind: "Pod" }, operation: "DELETE" };
  const asked = decodeReview({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request,
  });
  assert.ok(!(asked instanceof Error));
  assert.deepEqual(
    [asked.kind.group, asked.namespace, asked.name, asked.subResource, asked.object],
    ["", "", "", "", undefined],
  );
});

const review = (request: JsonObject = {}, top: JsonObject = {}) => ({
  ...reviewOf(POD, request),
  ...top,
});
for (const [what, json, paths] of [
  ["a list", [], [""]],
  ["no request", review({}, { request: undefined }), ["request"]],
  ["a response only", review({}, { request: null, response: {} }), ["request"]],
  ["version v1beta1", review({}, { apiVersion: "admission.k8s.io/v1beta1" }), ["apiVersion"]],
  ["another kind", review({}, { kind: "Pod" }), ["kind"]],
  ["no uid", review({ uid: undefined }), ["request.uid"]],
  ["an empty uid", review({ uid: "" }), ["request.uid"]],
  ["an object that is a list", review({ object: [] }), ["request.object"]],
  ["a CREATE of nothing", review({ object: null }), ["request.object"]],
  ["an unknown operation", review({ operation: "create" }), ["request.operation"]],
  [
    "everything wrong",
    review(
      { uid: 1, kind: { version: 1 }, namespace: [], object: "", dryRun: "yes" },
      { kind: null, apiVersion: 1 },
    ),
    [
      ...["apiVersion", "kind", "request.uid", "request.kind.version", "request.kind.kind"],
      ...["request.namespace", "request.object", "request.dryRun"],
    ],
  ],
] as const)
  test(`a review with ${what} is refused, and every wrong path named`, () => {
    const message = messageOf(decodeReview(json as JsonObject)) ?? "";
    const named = [...message.matchAll(/→ at (\S+)/g)].map((match) => match[1] ?? "");
    assert.deepEqual(named.sort(), [...paths].filter((path) => path !== "").sort());
    assert.match(message, /^this is not an AdmissionReview request:\n✖ /);
  });

test("a version other than v1 is told how v1 is asked for", () => {
  const message = messageOf(
    decodeReview(review({}, { apiVersion: "admission.k8s.io/v1beta1" }) as JsonObject),
  );
  assert.match(
    message ?? "",
    /expected "admission.k8s.io\/v1", found "admission.k8s.io\/v1beta1": .*admissionReviewVersions/,
  );
});

test("an empty patch is no patch at all, for the API server refuses a patchType without one", () => {
  assert.deepEqual(answerReview("u", { allowed: true, patch: [], warnings: [] }), {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "u", allowed: true },
  });
});

test("a patch is base64 of JSON Patch", () => {
  const patch = [{ op: "add", path: "/metadata/annotations", value: { é: "✓" } }] as const;
  const { response } = answerReview("u", { allowed: true, patch, warnings: [] });
  const { patchType, patch: encoded } = response as JsonObject;
  assert.equal(patchType, "JSONPatch");
  assert.deepEqual(JSON.parse(Buffer.from(String(encoded), "base64").toString()), patch);
});

test("a refusal is 403 Forbidden with its reason", () => {
  assert.deepEqual(
    answerReview("u", { allowed: false, message: "because", warnings: ["w"] }).response,
    {
      uid: "u",
      allowed: false,
      status: { code: 403, reason: "Forbidden", message: "because" },
      warnings: ["w"],
    },
  );
});

const warningsOf = (warnings: readonly string[]) =>
  ((answerReview("u", { allowed: true, patch: [], warnings }).response as JsonObject).warnings ??
    []) as readonly string[];

test("a warning is one line without control characters, which would make the API server drop it", () => {
  assert.deepEqual(warningsOf(["a\n  b\u0000\u0085c\t", "\r\n", "a b c", "\ud800x"]), [
    "a b c",
    "\ufffdx",
  ]);
});

test("warnings that fit together are shown in full", () => {
  const long = "x".repeat(4_000);
  assert.deepEqual(warningsOf([long, "short"]), [long, "short"]);
});

test("warnings that do not fit are cut as the API server would cut them, and the rest counted", () => {
  const many = Array.from({ length: 40 }, (_, i) => `${i} ${"🦆".repeat(300)}`);
  const shown = warningsOf(many);
  const last = /^(\d+) more warnings were left out$/.exec(shown.at(-1) ?? "");
  assert.equal(shown.length - 1 + Number(last?.[1]), 40);
  assert.ok(shown.slice(0, -1).every((line) => [...line].length === 256 && line.endsWith("…")));
  const all = shown.reduce((sum, line) => sum + [...line].length, 0);
  assert.ok(all <= 4_096 && all > 4_096 - 2 * 256, `${all} characters`);
});
