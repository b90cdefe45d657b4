import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiException } from "@kubernetes/client-node";
import { ApiError, attempt, hasStatus } from "../../src/kubernetes/api-error.ts";
import { logOnce } from "../../src/kubernetes/log-once.ts";

const WHAT = "Secret sallyport-system/sallyport-certificate";
const FORBIDDEN =
  'secrets "sallyport-certificate" is forbidden: User "x" cannot get resource "secrets"';
const status = (code: number, message: string) =>
  new ApiException(code, "", JSON.stringify({ kind: "Status", message, code }), {});

for (const [cause, verb, said] of [
  [
    status(403, FORBIDDEN),
    "get",
    `cannot read ${WHAT}: ${FORBIDDEN} (HTTP 403): give the ServiceAccount get on it`,
  ],
  [
    status(401, "Unauthorized"),
    "patch",
    `cannot change ${WHAT}: Unauthorized (HTTP 401): the API server does not accept this token or certificate`,
  ],
  [status(409, "modified"), "update", `cannot write ${WHAT}: modified (HTTP 409)`],
  [new ApiException(503, "", "", {}), "list", `cannot list ${WHAT}: (HTTP 503)`],
  [
    new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:1") }),
    "watch",
    `cannot watch ${WHAT}: connect ECONNREFUSED 127.0.0.1:1`,
  ],
] as const)
  test(`told in one line: ${said.slice(0, 60)}…`, async () => {
    await assert.rejects(
      attempt(verb, WHAT, () => Promise.reject(cause)),
      (error: unknown) => error instanceof ApiError && error.message === said,
    );
  });

test("an error that is asked for its status has it only if somebody answered", async () => {
  const conflict = await attempt("update", WHAT, () => Promise.reject(status(409, "m"))).catch(
    (e) => e,
  );
  assert.ok(hasStatus(conflict, 409) && !hasStatus(conflict, 404));
  assert.ok(!hasStatus(new Error("no"), 409));
});

test("a trouble is told once until it is over, in whatever turns troubles come; its end is told once", () => {
  const lines: string[] = [];
  const told = logOnce((level, message) => lines.push(`${level} ${message}`));
  const [a, b] = [new Error("a"), new Error("b")];
  for (const trouble of [a, a, b, a, b]) told.trouble(trouble, "warn");
  told.fine("again");
  told.fine("again");
  told.trouble(a);
  assert.deepEqual(lines, ["warn a", "warn b", "info again", "error a"]);
});

test("that nobody answers is one trouble, in whichever words the network says so; what somebody answers is another", () => {
  const lines: string[] = [];
  const told = logOnce((_, message) => lines.push(message));
  for (const cause of [new Error("ECONNRESET"), new Error("closed"), status(503, "no etcd")])
    told.trouble(new ApiError("get", WHAT, cause));
  assert.deepEqual(lines, [
    `cannot read ${WHAT}: ECONNRESET`,
    `cannot read ${WHAT}: no etcd (HTTP 503)`,
  ]);
});
