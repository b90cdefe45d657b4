import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { applyPatch, type Operation } from "rfc6902";
import * as z from "zod";
import type { JsonObject, JsonValue } from "../src/admission/admission.ts";
import { WORKLOAD_KINDS } from "../src/admission/workload-kinds.ts";
import { admitted } from "./pod-support.ts";
import { type Answered, type Bed, POD, reviewOf, SERVICE, startBed } from "./server-bed.ts";

const SEED = 20_261;
const RUNS = 400;

/** Pods that nobody here wrote, where they are at hand. */
const FOUND = resolve(import.meta.dirname, "../../../shared/data/pods.jsonl");
const PODS: readonly JsonObject[] = existsSync(FOUND)
  ? readFileSync(FOUND, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).pod)
  : [POD];
if (!existsSync(FOUND))
  console.log(`SKIPPED: ${FOUND} is not there; the fuzzing starts from one pod`);

const PATHS = ["/mutate/pods", "/mutate/workloads", "/validate/pods"].flatMap((webhook) =>
  ["", "/enabled", "/all"].map((label) => webhook + label),
);

let bed: Bed;
before(async () => {
  bed = await startBed({ limits: { headersMs: 1_000, requestMs: 1_000, checkMs: 100 } });
});
after(() => bed[Symbol.asyncDispose]());

/** AdmissionReview v1 as the API server takes it, nothing more. */
const WellFormed = z.strictObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  response: z.union([
    z.strictObject({
      uid: z.string().min(1),
      allowed: z.literal(true),
      patchType: z.literal("JSONPatch"),
      patch: z.base64().min(1),
      warnings: z.array(z.string().min(1)).optional(),
    }),
    z.strictObject({
      uid: z.string().min(1),
      allowed: z.literal(true),
      warnings: z.array(z.string().min(1)).optional(),
    }),
    z.strictObject({
      uid: z.string().min(1),
      allowed: z.literal(false),
      status: z.strictObject({
        code: z.literal(403),
        reason: z.literal("Forbidden"),
        message: z.string().min(1),
      }),
      warnings: z.array(z.string().min(1)).optional(),
    }),
  ]),
});

/** 200 with a well-formed review of the same uid and a patch that applies, or 4xx with words. */
function judge(answer: Answered, sent: JsonValue | undefined): void {
  if (answer.status !== 200) {
    assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
    assert.match(answer.text, /\S/);
    return;
  }
  const { response } = WellFormed.parse(JSON.parse(answer.text));
  const { uid, object } = (sent as { request: { uid: string; object?: JsonObject } }).request;
  assert.equal(response.uid, uid);
  for (const warning of response.warnings ?? []) assert.doesNotMatch(warning, /\p{Cc}/u);
  if (!("patch" in response)) return;
  const patch = JSON.parse(Buffer.from(response.patch, "base64").toString()) as Operation[];
  const failures = applyPatch(structuredClone(object), patch).filter((failure) => failure !== null);
  assert.deepEqual(failures, []);
}

const noFaults = () =>
  assert.deepEqual(
    bed.lines.filter(({ level }) => level === "error"),
    [],
  );

const debugReview = (pod: JsonObject, ephemeralContainers: JsonValue): JsonObject =>
  reviewOf(
    { ...pod, spec: { ...(pod.spec as JsonObject), ephemeralContainers } },
    { operation: "UPDATE", subResource: "ephemeralcontainers", oldObject: pod },
  );

const workloadReview = (pod: JsonObject, kind: (typeof WORKLOAD_KINDS)[number]): JsonObject => {
  const inside = [...kind.template]
    .reverse()
    .reduce<JsonObject>((value, key) => ({ [key]: value }), pod);
  const object = {
    metadata: { name: "w", annotations: { "sallyport.dev/inject": "true" } },
    ...inside,
  };
  return reviewOf(object, {
    kind: { group: kind.group, version: "v1", kind: kind.kind },
    operation: "UPDATE",
    oldObject: object,
  });
};

/** Injected, so that the changes come to the sidecar, too. */
const INJECTED = PODS.map((pod) => admitted(pod, {}, { dangerousPods: "warn" }));

const aReview = fc.oneof(
  fc.constantFrom(...PODS, ...INJECTED).map((pod) => reviewOf(pod)),
  fc
    .tuple(fc.constantFrom(...INJECTED), fc.constantFrom(...PODS))
    .map(([pod, { spec }]) => debugReview(pod, (spec as JsonObject).containers ?? [])),
  fc
    .tuple(fc.constantFrom(...PODS), fc.constantFrom(...WORKLOAD_KINDS))
    .map(([pod, kind]) => workloadReview(pod, kind)),
);

const WORDS = [
  ...["sallyport.dev/inject", "sallyport.dev/carried", "sallyport.dev/status", "true", "false", ""],
  ...[
    "sallyport-init",
    "sallyport-proxy",
    "CREATE",
    "UPDATE",
    "__proto__",
    "constructor",
    "toString",
  ],
  ...["metadata", "annotations", "spec", "containers", "~1/~0", "\u0000", "\ud800", "é\u0301"],
];
const aWord = fc.oneof(fc.constantFrom(...WORDS), fc.string());
const aValue: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, 0, -1, 1e308, 2 ** 53, [], {}, [null], [[]]),
  aWord,
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>,
  fc
    .integer({ min: 1, max: 300 })
    .map((n) => JSON.parse("[".repeat(n) + "]".repeat(n)) as JsonValue),
);

interface Change {
  readonly from: "request.object" | "the top";
  /** Which way down at each fork; the walk ends when they run out. */
  readonly way: readonly number[];
  readonly how: "replace" | "remove" | "add" | "twice" | "rename";
  readonly word: string;
  readonly value: JsonValue;
}
const aChange: fc.Arbitrary<Change> = fc.record({
  from: fc.oneof(
    { weight: 4, arbitrary: fc.constant("request.object" as const) },
    { weight: 1, arbitrary: fc.constant("the top" as const) },
  ),
  way: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 9 }),
  how: fc.constantFrom("replace", "remove", "add", "twice", "rename"),
  word: aWord,
  value: aValue,
});

type Node = { [key: string]: unknown } | unknown[];
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

function define(node: { [key: string]: unknown }, key: string, value: unknown): void {
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true });
}

function change(review: JsonObject, { from, way, how, word, value }: Change): void {
  const object = (review.request as JsonObject | undefined)?.object;
  let node = (from === "request.object" && isNode(object) ? object : review) as Node;
  for (const [depth, fork] of way.entries()) {
    const keys = Object.keys(node);
    const key = keys[fork % (keys.length || 1)];
    if (key === undefined) return;
    const child = (node as { [key: string]: unknown })[key];
    if (depth < way.length - 1 && isNode(child)) {
      node = child;
      continue;
    }
    if (Array.isArray(node)) {
      const at = Number(key);
      if (how === "remove") node.splice(at, 1);
      else if (how === "twice") node.push(child);
      else if (how === "add") node.splice(at, 0, value);
      else node[at] = value;
    } else if (how === "remove") delete node[key];
    else if (how === "rename") {
      delete node[key];
      define(node, word, child);
    } else define(node, how === "replace" ? key : word, how === "twice" ? child : value);
    return;
  }
}

test("reviews with anything changed anywhere get a well-formed review or a 4xx", async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(
      ...[aReview, fc.array(aChange, { minLength: 1, maxLength: 4 }), fc.constantFrom(...PATHS)],
      async (review, changes, path) => {
        const changed = structuredClone(review);
        for (const one of changes) change(changed, one);
        const body = JSON.stringify(changed);
        const answer = await bed.send(path, body);
        judge(answer, JSON.parse(body));
        if (answer.status === 200) answered++;
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  noFaults();
  assert.ok(answered > RUNS / 2, `only ${answered} of ${RUNS} were reviews at all`);
});

test("reviews with bytes flipped, cut out, put in or said twice get a well-formed review or a 4xx", async () => {
  await fc.assert(
    fc.asyncProperty(
      aReview,
      fc.array(fc.tuple(fc.nat(1e6), fc.nat(20), fc.uint8Array({ maxLength: 20 })), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.constantFrom(...PATHS),
      async (review, splices, path) => {
        let body: Buffer = Buffer.from(JSON.stringify(review));
        for (const [at, gone, put] of splices) {
          const start = at % body.length;
          body = Buffer.concat([body.subarray(0, start), put, body.subarray(start + gone)]);
        }
        judge(await bed.send(path, body), parsed(body));
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  noFaults();
});

function parsed(body: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

test("any bytes, under any content type, to any path, get a 4xx", async () => {
  const aHeader = fc.stringMatching(/^[ -~]{0,40}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.oneof(fc.constant("application/json"), aHeader),
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...PATHS) },
        fc.webPath().map((p) => `/${p}`),
      ),
      fc.constantFrom("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"),
      async (body, type, path, method) => {
        const answer = await bed.send(path, body, { "content-type": type }, method);
        assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  noFaults();
});

test("bytes that are hardly HTTP are answered with a 4xx or not at all, and the next client is served", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        "POST /mutate/pods HTTP/1.1\r\n",
        "GET /healthz HTTP/9.9\r\n",
        "content-length: 5\r\n",
        "\r\n",
      ],
      ...["transfer-encoding: chunked\r\n", "content-type: application/json\r\n", "host: x\r\n"],
      ...[
        "fffffffffffffffff\r\n",
        "0\r\n\r\n",
        "{}",
        "upgrade: h2c\r\nconnection: upgrade\r\n",
        "\n",
      ],
      ...[
        "content-length: -1\r\n",
        "content-length: 99999999999999999999\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
      ],
      ...["expect: 100-continue\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "x: \u0000\r\n"],
    ),
    fc.string({ maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (pieces) => {
      for (const [, status] of (await converse(pieces.join(""))).matchAll(/^HTTP\/1\.1 (\d{3}) /gm))
        assert.match(status ?? "", /^(100|200|4\d\d)$/);
    }),
    { seed: SEED, numRuns: RUNS / 4 },
  );
  assert.equal((await bed.send("/healthz", "", {}, "GET")).status, 200);
  noFaults();
});

/** Says it, ends its side, and gives what it heard. */
function converse(said: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({
      ...{ host: "127.0.0.1", port: bed.controller.port, servername: SERVICE },
      ...(bed.source.ca !== undefined && { ca: bed.source.ca }),
    });
    socket.on("secureConnect", () => socket.end(said));
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}
