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
const good = ({ entries }: Installation, seconds?: number) =>
  until("all is as it should be", entries, isGood, seconds);

test("what somebody takes back in the webhook configurations is back within seconds", {
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
    await good(installation, 5);
    await api.admission.patchValidatingWebhookConfiguration({ name, body }, JSON_PATCH);
    await good(installation, 5);
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
  await good(installation, 15);
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
  const [entry] = await good(installation, 10);
  assert.equal(entry?.timeoutSeconds, 25);
});

test("a guard lets pods pass until it answers where the API server is sent to, and guards then", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const { api, name } = installation;
  const [first] = await installation.entries();
  const { origin } = new URL(first?.clientConfig.url ?? "");
  const led = async (to: string) => {
    const change = (path: string) => [
      { op: "replace", path: "/webhooks/0/clientConfig/url", value: to + path },
    ];
    const [pods, finalPods] = [change("/mutate/pods/all"), change("/validate/pods/all")];
    await api.admission.patchMutatingWebhookConfiguration({ name, body: pods }, JSON_PATCH);
    await api.admission.patchValidatingWebhookConfiguration({ name, body: finalPods }, JSON_PATCH);
  };
  await led("https://127.0.0.1:1");
  const replica = await installation.replica();
  const { message } = await replica.line("does not answer");
  assert.match(message, /ECONNREFUSED.*: it lets pods pass until it does$/);
  const [, open] = await installation.entries();
  assert.ok(open?.clientConfig.caBundle && open.failurePolicy === "Ignore");
  await led(origin);
  await good(installation, 10);
  await using load = createPods(installation, 20);
  await load.more(5);
  assert.deepEqual((await load.stop()).failures, []);
});
