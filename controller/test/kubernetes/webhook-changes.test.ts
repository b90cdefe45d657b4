import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changesOf,
  GUARDS,
  isFinalGuard,
  longestCallMs,
  openGuards,
} from "../../src/kubernetes/webhook-changes.ts";

const CA = "-----BEGIN CERTIFICATE-----";
const caBundle = Buffer.from(CA).toString("base64");
const entry = (name: string, failurePolicy: string, bundle?: string) => ({
  ...{ name, failurePolicy },
  clientConfig: { url: "https://127.0.0.1/", ...(bundle !== undefined && { caBundle: bundle }) },
});
const ENTRIES = [
  entry("enabled.pods.sallyport.dev", "Fail", caBundle),
  entry("all.pods.sallyport.dev", "Ignore", "b2xk"),
  entry("all.workloads.sallyport.dev", "Ignore"),
];
const VERSION = { op: "add", path: "/metadata/resourceVersion", value: "7" };
const bundleAt = (index: number) => ({
  ...{ op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
});
const failAt = (index: number) => ({
  ...{ op: "add", path: `/webhooks/${index}/failurePolicy`, value: "Fail" },
});

for (const [what, wanted, changes] of [
  ["nothing wanted", { guard: false }, []],
  ["authorities", { authorities: CA, guard: false }, [VERSION, bundleAt(1), bundleAt(2)]],
  ["guards; conveniences let pass", { guard: true }, [VERSION, failAt(1)]],
  ["both", { authorities: CA, guard: true }, [VERSION, bundleAt(1), failAt(1), bundleAt(2)]],
] as const)
  test(`changed is what is wrong and nothing else, in the version that was read: ${what}`, () => {
    assert.deepEqual(changesOf(ENTRIES, "7", wanted), changes);
  });

test("an object that is right is not changed", () => {
  const right = GUARDS.map((name) => entry(name, "Fail", caBundle));
  assert.deepEqual(changesOf(right, "7", { authorities: CA, guard: true }), []);
  assert.deepEqual(openGuards(right), []);
});

test("guards that let pods pass are those that are named, not what resembles them", () => {
  const entries = ["all.pods.sallyport.dev", "x.all.pods.sallyport.dev", "pods.sallyport.dev"];
  assert.deepEqual(
    openGuards(entries.map((name) => entry(name, "Ignore"))).map(({ name }) => name),
    ["all.pods.sallyport.dev"],
  );
});

test("a guard's call takes at most what its entry says, or 10 s as the API has it; conveniences are not waited for", () => {
  const [first, second, workloads] = ENTRIES;
  const taking = (of: (typeof ENTRIES)[number] | undefined, timeoutSeconds?: number) => ({
    ...{ ...entry("", "Ignore"), ...of },
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  });
  assert.equal(longestCallMs([taking(first, 3), taking(second, 4), taking(workloads, 30)]), 4_000);
  assert.equal(longestCallMs([taking(first, 3), taking(second)]), 10_000);
  assert.equal(longestCallMs([taking(workloads, 30)]), 0);
});

test("of the guards two look at final pods", () => {
  assert.deepEqual(GUARDS.filter(isFinalGuard), [
    "enabled.final-pods.sallyport.dev",
    "all.final-pods.sallyport.dev",
  ]);
});
