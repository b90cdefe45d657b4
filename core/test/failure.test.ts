import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure } from "../src/failure.ts";
import { type FailReason, REASONS } from "../src/reasons.ts";
import { attemptOf } from "./cases.ts";

const attempt = attemptOf("8.8.8.1:443 host httpbin");
const reasons = (Object.keys(REASONS) as (keyof typeof REASONS)[]).filter(
  (reason): reason is FailReason => reason.startsWith("failed."),
);

for (const reason of reasons)
  test(`${reason} says what was permitted, what failed, and what to do`, () => {
    const { message, advice, ...rest } = explainFailure(attempt, { reason });
    assert.deepEqual(rest, { reason, destination: "8.8.8.1:443", name: "httpbin" });
    assert.match(message, /^httpbin at 8\.8\.8\.1:443 is permitted, but .+: .+$/);
    assert.ok(message.endsWith(REASONS[reason]));
    assert.ok(advice && !advice.includes("undefined"));
  });

test("the steps that can fail are told apart", () => {
  const steps = reasons.map((reason) => explainFailure(attempt, { reason }).message.split(":")[1]);
  assert.ok(new Set(steps).size >= 6, steps.join("\n"));
});

test("what is known of a failure is said: the address that was dialled, the name that was verified, the system's word", () => {
  const refused = explainFailure(attempt, {
    reason: "failed.connect_refused",
    dialled: "2600::1",
    error: "ECONNREFUSED",
  });
  assert.equal(
    refused.message,
    `httpbin at [2600::1]:443 is permitted, but the connection to it failed: ${REASONS["failed.connect_refused"]} (ECONNREFUSED)`,
  );
  assert.equal(refused.advice, "see that the destination runs, and listens on port 443");
  const unverified = explainFailure(attempt, {
    reason: "failed.tls_verify",
    externalName: "a.test",
    error: "CERT_HAS_EXPIRED",
    detail: "the certificate does not stand for a.test",
  });
  assert.equal(
    unverified.message,
    "httpbin, which stands for a.test, at 8.8.8.1:443 is permitted, but its certificate was not accepted: the certificate does not stand for a.test",
  );
  assert.equal(unverified.externalName, "a.test");
  assert.match(unverified.advice ?? "", /a certificate for a\.test by an issuer/);
});

test("an app that gave no name is told of the address alone", () => {
  const { message, name } = explainFailure(attemptOf("8.8.8.1:80 http"), {
    reason: "failed.unreachable",
  });
  assert.match(message, /^8\.8\.8\.1:80 is permitted, but /);
  assert.equal(name, undefined);
});
