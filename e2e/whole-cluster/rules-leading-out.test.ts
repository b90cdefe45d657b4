import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { OUTSIDE } from "../cluster/whole/outside.ts";
import type { Held } from "./apps/hold-main.ts";
import { askPod } from "./support/api.ts";
import { app, idle } from "./support/containers.ts";
import { lacking } from "./support/given.ts";
import { apply, kubectl, type Manifest, read } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { deleteRule, enforcedIn, ruleOf } from "./support/rules.ts";
import { until } from "./support/until.ts";
import { waitFor } from "./support/waiting.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();
const namespace = enforcedIn(ownNamespace("rules-leading-out", ENABLED));
outsideIsThere();

const ENDPOINT = OUTSIDE["api.example.com"];
const SERVICE_PORT = 5432;

/** A Service without a selector, and where it leads by hand. */
const handWritten = (name: string, address: string, port: number): Manifest[] => [
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name } },
    spec: { ports: [{ name: "main", port: SERVICE_PORT, targetPort: port }] },
  },
  slice(name, address, port),
];

const slice = (name: string, address: string, port: number): Manifest => ({
  ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
  metadata: { name: `${name}-by-hand`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [{ name: "main", port, protocol: "TCP" }],
});

const inApp = (...argv: readonly string[]) =>
  kubectl("exec", "app", "-c", "app", "--namespace", namespace, "--", ...argv);
/** 000 where there was no answer. */
const status = (host: string) => {
  const url = `http://${host}:${SERVICE_PORT}/`;
  return inApp("sh", "-c", `curl -s -o /dev/null -w '%{http_code}' --max-time 5 ${url} || true`);
};
const body = (host: string) => inApp("curl", "-s", `http://${host}:${SERVICE_PORT}/`);

let inside: string;
before(async () => {
  if (skip) return;
  await apply(
    namespace,
    pod("app", { containers: [idle(), app("holder", "hold-main")] }, INJECTED),
    pod("inside", { containers: [app("app", "hold-main")] }),
  );
  await waitFor(namespace, "pod/app", "condition=Ready");
  await waitFor(namespace, "pod/inside", "condition=Ready");
  inside = (await read<V1Pod>(namespace, "pod", "inside")).status?.podIP ?? "";
});

test("a Service with hand-written endpoints outside is refused, says where it leads, and is permitted by a rule for that", {
  skip,
}, async () => {
  await apply(namespace, ...handWritten("db", ENDPOINT, 80));
  await until("it is refused", async () => (await status("db")) === "403");
  const refusal = await body("db");
  assert.match(refusal, /denied\./);
  assert.match(
    refusal,
    new RegExp(`leads outside the cluster to ${ENDPOINT.replaceAll(".", "\\.")}`),
    refusal,
  );
  const entry = { cidrs: [`${ENDPOINT}/32`], ports: [{ port: 80, protocol: "http" }] };
  await apply(namespace, ruleOf("db", entry));
  await until("it is permitted", async () => (await status("db")) === "200");
  assert.match(await body("db"), /^hello from db/);
  await deleteRule(namespace, "db");
  await until("it is refused again", async () => (await status("db")) === "403");
});

test("a Service whose endpoints are changed to lie outside while a connection is open: that one is cut, and the next is refused", {
  skip,
}, async () => {
  await apply(namespace, ...handWritten("moved", inside, 8081));
  // No rule is needed in the cluster.
  await until("it is permitted", async () => (await status("moved")) === "200");
  const held = async (path = "") =>
    (await askPod<Held[]>(namespace, "app", 8081, path)).find(({ to }) => to.startsWith("moved:"));
  await held(`moved/${SERVICE_PORT}`);
  await until("it is open", async () => ((await held())?.bytes ?? 0) > 0);
  assert.equal((await held())?.open, true);

  await apply(namespace, slice("moved", ENDPOINT, 80));
  await until("it is cut", async () => (await held())?.open === false);
  assert.equal((await held())?.problem, "ECONNRESET");
  assert.equal(await status("moved"), "403");
});
