import assert from "node:assert/strict";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { startDashboard } from "@sallyport/cli/dashboard/dashboard";
import type { Fleet, WorkloadDetails } from "@sallyport/cli/dashboard/fleet";
import type { Dashboard } from "@sallyport/cli/dashboard/server";
import { connect } from "@sallyport/cli/kubernetes/rest";
import { bundleDashboard } from "../../scripts/bundle.ts";
import { clientOf } from "../cluster/namespaces.ts";
import { app, idle } from "./support/containers.ts";
import { givenCluster, lacking as skip } from "./support/given.ts";
import { apply } from "./support/kubectl.ts";
import { deployment, INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { Listener } from "./support/streams.ts";
import { until } from "./support/until.ts";
import { rolledOut, waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("dashboard", ENABLED);
const world = ownNamespace("dashboard-world");

let dashboard: Dashboard;
before(async () => {
  if (skip) return;
  await bundleDashboard(join(resolve(import.meta.dirname, "../.."), "dist"));
  const { url } = await Listener.start(world);
  const spec = { containers: [app("app", "stream-main", url, "50")] };
  await apply(
    namespace,
    deployment("web", spec, INJECTED),
    pod("bare", { containers: [idle()] }, { "sallyport.dev/inject": "false" }),
  );
  await rolledOut(namespace, "deployment/web");
  await waitFor(namespace, "pod/bare", "condition=Ready");
  const config = clientOf(givenCluster().kubeconfig);
  const rest = await connect(config);
  dashboard = await startDashboard({ config, rest }, { port: 0, namespace });
});
after(() => dashboard?.close());

const WEB = `${namespace}/deployment/web`;

test("the dashboard asks sidecars by the kubelet, and leads to their own pages", {
  skip,
}, async () => {
  await until("the sidecar has told where its pod went", async () => {
    const { workloads } = JSON.parse(await get("/fleet")) as Fleet;
    const web = workloads.find(({ id }) => id === WEB);
    assert.deepEqual(
      workloads.map(({ id }) => id).filter((id) => id.includes("bare")),
      [],
    );
    return web?.heard === 1 && Object.values(web.counts).some((count) => count > 0);
  });
  const details = JSON.parse(
    await get(`/workload?id=${encodeURIComponent(WEB)}`),
  ) as WorkloadDetails;
  const [row] = details.podRows;
  assert.ok(row?.host);
  assert.match(await get("/", row.host, "text/html"), /^<!doctype html>/);
  assert.equal(JSON.parse(await get("/overview", row.host)).pod, row.name);
});

function get(path: string, host = "localhost", accept = "*/*"): Promise<string> {
  return new Promise((done, reject) => {
    const { port } = dashboard;
    const headers = { host: `${host}:${port}`, accept };
    request({ host: "127.0.0.1", port, path, headers }, async (answer) => {
      let text = "";
      for await (const chunk of answer.setEncoding("utf8")) text += chunk;
      if (answer.statusCode === 200) done(text);
      else reject(new Error(`${path} at ${host}: ${answer.statusCode} ${text}`));
    })
      .once("error", reject)
      .end();
  });
}
