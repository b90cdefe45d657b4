import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ApiException, type V1Pod } from "@kubernetes/client-node";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const FILE = join(import.meta.dirname, "../../../shared/data/pods.jsonl");
const missing =
  !existsSync(FILE) && `SKIPPED: ${FILE} is not there; it holds pods of other projects`;
if (missing) console.error(missing);
const skip = lackingBed || missing;

/** Pods of other projects, as they are but for the namespace. */
const PODS: readonly V1Pod[] = skip
  ? []
  : readFileSync(FILE, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).pod);
const AT_ONCE = 20;
/**
 * What the webhooks may add for half of the pods, and the controller take for 99 of 100 calls. How long the longest took
 * is told: on a machine that does other things, too, that says more of the machine.
 */
const LONGEST_MS = 1_000;

type Outcome =
  | { readonly pod: V1Pod; readonly ms: number }
  | { readonly refusal: string; readonly ms: number };

for (const sidecar of ["native", "ordinary"] as const)
  test(`every pod that the API server accepts as it is, it accepts injected, once also if admitted twice, and ${AT_ONCE} at once are answered within 1 s, ${sidecar}`, {
    skip,
  }, async (t) => {
    const bed = beds[sidecar];
    const [bare, injected] = [await bed.namespace("none"), await bed.namespace("all")];
    await Promise.all([bare, injected].map((namespace) => createServiceAccounts(bed, namespace)));
    const [asTheyAre, withSidecar] = [
      await createAll(bed, bare, PODS),
      await createAll(bed, injected, PODS),
    ];
    const added = share(0.5, withSidecar) - share(0.5, asTheyAre);
    assert.ok(added < LONGEST_MS, `${added} ms`);
    let [accepted, given] = [0, 0];
    const stored: V1Pod[] = [];
    for (const [i, without] of asTheyAre.entries()) {
      const outcome = withSidecar[i];
      if (!("pod" in without)) continue;
      accepted += 1;
      const name = without.pod.metadata?.name;
      assert.ok(outcome && "pod" in outcome, `${name}: ${JSON.stringify(outcome)}`);
      if (oursIn(outcome.pod).length === 0) {
        assert.ok(without.pod.spec?.hostNetwork || without.pod.spec?.os?.name === "windows", name);
        continue;
      }
      assert.deepEqual(oursIn(outcome.pod), ["sallyport-init", "sallyport-proxy"]);
      assert.deepEqual(theirs(outcome.pod), theirs(without.pod), "all else is as it would be");
      given += 1;
      stored.push(outcome.pod);
    }

    // What was answered is what would have been stored: created again, it is given the same sidecar once.
    const again = await createAll(bed, injected, stored.map(withoutServerFields));
    for (const [i, outcome] of again.entries()) {
      const first = stored[i];
      assert.ok(first && "pod" in outcome, JSON.stringify(outcome));
      assert.deepEqual(withoutIds(outcome.pod), withoutIds(first));
    }

    t.diagnostic(
      `${PODS.length} pods: ${accepted} accepted as they are, all of them also with the webhooks, ${given} with a sidecar`,
    );
    t.diagnostic(`creation, ${AT_ONCE} at once, without webhooks: ${percentiles(asTheyAre)}`);
    t.diagnostic(`with both webhooks, the first called twice: ${percentiles(withSidecar)}`);
    const inside = bed.lines
      .filter(({ namespace }) => namespace === injected)
      .map(({ ms }) => ({ ms: Number(ms) }));
    assert.ok(share(0.99, inside) < LONGEST_MS, percentiles(inside));
    t.diagnostic(`of that in the controller, per call: ${percentiles(inside)}`);
  });

/** Pods that could walk past their sidecar are let in: what the API server says is looked at. */
const beds = {} as Record<"native" | "ordinary", WebhookBed>;
before(async () => {
  if (skip) return;
  for (const sidecar of ["native", "ordinary"] as const)
    beds[sidecar] = await startWebhookBed({ injection: { sidecar, dangerousPods: "warn" } });
});
after(async () => {
  for (const bed of Object.values(beds)) await bed[Symbol.asyncDispose]();
});

/** A pod whose service account is not there is refused for that. */
async function createServiceAccounts(bed: WebhookBed, namespace: string): Promise<void> {
  const names = PODS.map(({ spec }) => spec?.serviceAccountName ?? spec?.serviceAccount ?? "");
  for (const name of new Set(names))
    await bed.core
      .createNamespacedServiceAccount({ namespace, body: { metadata: { name } } })
      .catch((error) => assert.ok(error instanceof ApiException, error));
}

/** Server-side dry runs, always so many at once. */
async function createAll(
  bed: WebhookBed,
  namespace: string,
  pods: readonly V1Pod[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = pods.entries();
  const worker = async () => {
    for (const [i, pod] of waiting) {
      const { namespace: _, ...metadata } = pod.metadata ?? {};
      const named = { ...metadata, ...(!metadata.name && { generateName: "pod-" }) };
      const started = performance.now();
      const outcome = await bed.core
        .createNamespacedPod({ namespace, body: { ...pod, metadata: named }, dryRun: "All" })
        .then((pod) => ({ pod }))
        .catch((error: unknown) => {
          assert.ok(error instanceof ApiException, String(error));
          return { refusal: String(error.body) };
        });
      outcomes[i] = { ...outcome, ms: Math.round(performance.now() - started) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcomes;
}

const isOurs = ({ name }: { name: string }) => name.startsWith("sallyport-");

function oursIn({ spec }: V1Pod): string[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
    .filter(isOurs)
    .map(({ name }) => name);
}

/** The spec without our containers, and without the name that the API server draws for the token's volume. */
function theirs({ spec }: V1Pod): unknown {
  const { initContainers = [], ...rest } = spec ?? { containers: [] };
  return sameToken({
    ...rest,
    initContainers: initContainers.filter((one) => !isOurs(one)),
    containers: rest.containers.filter((one) => !isOurs(one)),
  });
}

function withoutServerFields({ metadata, spec }: V1Pod): V1Pod {
  const {
    uid: _u,
    resourceVersion: _r,
    creationTimestamp: _c,
    managedFields: _m,
    ...kept
  } = metadata ?? {};
  return { metadata: kept, ...(spec && { spec }) };
}

/** The same pod but for the ids, which are drawn for each. */
function withoutIds(pod: V1Pod): unknown {
  const { uid } = JSON.parse(pod.metadata?.annotations?.["sallyport.dev/status"] ?? "{}");
  return JSON.parse(
    JSON.stringify(sameToken(pod.spec)).replaceAll(new RegExp(`\\b${uid}\\b`, "g"), "0"),
  );
}

function sameToken(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/kube-api-access-\w{5}/g, "kube-api-access"));
}

interface Timed {
  readonly ms: number;
}

/** So long took that share of them at most. */
function share(part: number, outcomes: readonly Timed[]): number {
  const sorted = outcomes.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function percentiles(outcomes: readonly Timed[]): string {
  const [half, most, all] = [0.5, 0.99, 1].map((part) => share(part, outcomes));
  return `p50 ${half} ms, p99 ${most} ms, longest ${all} ms`;
}
