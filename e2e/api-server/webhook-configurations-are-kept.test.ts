import assert from "node:assert/strict";
import { test } from "node:test";
import { PatchStrategy, setHeaderOptions, type V1MutatingWebhook } from "@kubernetes/client-node";
import { apiServer, lacking } from "../cluster/given.ts";
import { type Installation, install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods } from "./pod-load.ts";
import { until } from "./until.ts";

const skip = lacking || lackingHelm();
const JSON_PATCH = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

const isGuard = ({ name }: V1MutatingWebhook) => !name.includes("workloads");
const isGood = (entries: readonly V1MutatingWebhook[]) =>
  entries.length === 3 &&
  entries.every(
    (entry) =>
      entry.clientConfig.caBundle && entry.failurePolicy === (isGuard(entry) ? "Fail" : "Ignore"),
  );
/** The guards of final pods are waited for: a call's timeout longer, and a little more. */
const good = ({ entries }: Installation, seconds = 60) =>
  until("all is as it should be", entries, isGood, seconds);

test("what somebody takes back in the webhook configurations is put back", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const { api, name } = installation;
  await installation.replica();
  await good(installation);
  const remove = { op: "remove", path: "/webhooks/0/clientConfig/caBundle" };
  const ignore = { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" };
  for (const body of [[remove], [ignore], [remove, ignore]]) {
    await api.admission.patchMutatingWebhookConfiguration({ name, body }, JSON_PATCH);
    await good(installation);
    await api.admission.patchValidatingWebhookConfiguration({ name, body }, JSON_PATCH);
    await good(installation);
  }
});

test("a webhook configuration that is deleted is missed once, and kept again when it is back", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const { api, name } = installation;
  const replica = await installation.replica();
  await good(installation);
  const { metadata: _, ...written } = await api.admission.readValidatingWebhookConfiguration({
    name,
  });
  await api.admission.deleteValidatingWebhookConfiguration({ name });
  await replica.line("cannot read ValidatingWebhookConfiguration", 15);
  await api.admission.createValidatingWebhookConfiguration({
    body: {
      metadata: { name },
      webhooks: (written.webhooks ?? []).map(({ clientConfig, ...entry }) => ({
        ...entry,
        failurePolicy: "Ignore",
        clientConfig: { url: clientConfig.url ?? "" },
      })),
    },
  });
  await good(installation);
  const missed = replica.lines.filter(({ message }) => message.includes("cannot read"));
  assert.equal(missed.length, 1);
});

test("of edits that others make at the same time none is lost", { skip }, async () => {
  await using installation = await install(await apiServer());
  const { api, name } = installation;
  await installation.replica();
  for (let seconds = 2; seconds <= 25; seconds++) {
    const body = [
      { op: "replace", path: "/webhooks/0/timeoutSeconds", value: seconds },
      { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" },
    ];
    await api.admission.patchMutatingWebhookConfiguration({ name, body }, JSON_PATCH);
    const [entry] = await installation.entries();
    assert.equal(entry?.timeoutSeconds, seconds);
  }
  const [entry] = await good(installation);
  assert.equal(entry?.timeoutSeconds, 25);
});

/** Sends the API server to another controller, or to nobody, about each kind of question. */
async function led(
  { api, name }: Installation,
  { pods, finalPods }: { pods: string; finalPods: string },
) {
  const to = (url: string) => [{ op: "replace", path: "/webhooks/0/clientConfig/url", value: url }];
  const [first, then] = [to(`${pods}/mutate/pods/all`), to(`${finalPods}/validate/pods/all`)];
  await api.admission.patchMutatingWebhookConfiguration({ name, body: first }, JSON_PATCH);
  await api.admission.patchValidatingWebhookConfiguration({ name, body: then }, JSON_PATCH);
}

const NOBODY = "https://127.0.0.1:1";

async function originOf({ entries }: Installation): Promise<string> {
  const [first] = await entries();
  return new URL(first?.clientConfig.url ?? "").origin;
}

test("a guard lets pods pass until it answers where the API server is sent to, and guards then", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const origin = await originOf(installation);
  await led(installation, { pods: NOBODY, finalPods: NOBODY });
  const replica = await installation.replica();
  const { message } = await replica.line("does not answer");
  assert.match(message, /ECONNREFUSED.*: it lets pods pass until it does$/);
  const [, open] = await installation.entries();
  assert.ok(open?.clientConfig.caBundle && open.failurePolicy === "Ignore");
  await led(installation, { pods: origin, finalPods: origin });
  await good(installation);
  await using load = createPods(installation, 20);
  await load.more(5);
  assert.deepEqual((await load.stop()).failures, []);
});

test("a guard that is never reached guards after a minute all the same, and that of final pods not a minute after it", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  await led(installation, { pods: NOBODY, finalPods: NOBODY });
  const replica = await installation.replica();
  await replica.line("does not answer");
  // A minute, a call's timeout and five seconds; a minute more would be too much.
  await good(installation, 120);
  const { message } = await replica.line("guards from now on all the same");
  assert.match(message, /^MutatingWebhookConfiguration .*ECONNREFUSED/);
});

test("what the mutating guard lets pass because it is not reached, the guard of final pods does not refuse; it guards second", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const { api, pods: namespace } = installation;
  const origin = await originOf(installation);
  await led(installation, { pods: NOBODY, finalPods: origin });
  const replica = await installation.replica();
  await replica.line("does not answer");
  const create = async () => {
    const body = { metadata: { generateName: "early-" }, spec: POD_SPEC };
    const { spec } = await api.core.createNamespacedPod({ namespace, body, dryRun: "All" });
    return (spec?.initContainers ?? []).length;
  };
  // Somebody is asked about the final pod, and knows.
  await until(
    "the controller lets the pod pass",
    async () => [await create(), replica.lines.filter(isOfFinalPods).at(-1)?.verdict],
    ([containers, verdict]) => containers === 0 && verdict === "unchanged",
  );
  const seen: (string | undefined)[][] = [];
  await led(installation, { pods: origin, finalPods: origin });
  await until(
    "all guard",
    async () => {
      await create();
      const entries = await installation.entries();
      seen.push(entries.filter(isGuard).map(({ failurePolicy }) => failurePolicy));
      return entries;
    },
    isGood,
    60,
  );
  const states = [...new Set(seen.map((each) => each.join()))];
  assert.deepEqual(states.slice(-2), ["Fail,Ignore", "Fail,Fail"]);
  assert.ok(states.length === 2 || states[0] === "Ignore,Ignore", states.join(" "));
  assert.equal(await create(), 2);
});

const POD_SPEC = { containers: [{ name: "app", image: "app" }] };
const isOfFinalPods = ({ webhook }: Record<string, unknown>) => webhook === "final-pods";
