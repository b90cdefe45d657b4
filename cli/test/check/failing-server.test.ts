import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { type Finding, needsAction } from "@sallyport/cli/check/findings";
import { gatherInstall } from "@sallyport/cli/check/gather";
import { judgeController } from "@sallyport/cli/check/judge-controller";
import { judgeWorkloads } from "@sallyport/cli/check/judge-workloads";
import { judgeNamespaces, readNamespaces } from "@sallyport/cli/check/namespaces";
import { checkPermissions } from "@sallyport/cli/check/permissions";
import { judgeTrials, tryInjection } from "@sallyport/cli/check/trial";
import { judgeUnreadable } from "@sallyport/cli/check/unreadable";
import { lookAt } from "@sallyport/cli/check/workloads";
import { connect, type Rest } from "@sallyport/cli/kubernetes/rest";
import { factsOf } from "./facts-of.ts";

/** What an API server says whose etcd is slow, and what it says to those who may not. */
const SAID = { 500: "etcdserver: request timed out", 403: "it is forbidden" } as const;
type Status = keyof typeof SAID;

const PLACE = { namespace: "shop", injection: "all", labelledAtMs: 0 } as const;
const INSTALL = "sallyport-system";
const PODS = "/api/v1/namespaces/shop/pods";

/** Answers so where the path ends so, and otherwise with an empty list to which everybody has a right. */
let fails: { readonly at: string; readonly status: Status };
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "", "http://it");
  const failing = pathname.endsWith(fails.at);
  response.writeHead(failing ? fails.status : 200);
  response.end(
    JSON.stringify(
      failing ? { message: SAID[fails.status] } : { items: [], status: { allowed: true } },
    ),
  );
});
let rest: Rest;

before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "it", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: "it" },
  );
  rest = await connect(config);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const workloads = async () => judgeWorkloads(await lookAt(rest, PLACE, { version: "0.1.0" }));
const install = async () => judgeUnreadable(await gatherInstall(rest, INSTALL));
const namespaces = async () =>
  judgeNamespaces(await readNamespaces(rest, []), [], INSTALL).findings;
const permissions = async () => {
  const { state } = judgeController(factsOf());
  const found = await checkPermissions(rest, INSTALL, { ...state, args: ["--lease=it"] });
  return found.findings;
};
const trial = async () => judgeTrials([await tryInjection(rest, PLACE)], 1, INSTALL);

for (const [what, at, look, failing, forbidden] of [
  ["the pods of a namespace", PODS, workloads, "cannot_tell", "cannot_tell"],
  ["the Deployments of a namespace", "/deployments", workloads, "cannot_tell", "not_permitted"],
  ["the controller", "/sallyport-controller", install, "cannot_tell", "cannot_tell"],
  ["the configuration", "/configmaps/sallyport", install, "cannot_tell", "not_permitted"],
  ["the namespaces", "/namespaces", namespaces, "cannot_tell", "cannot_tell"],
  ["the controller's rights", "/subjectaccessreviews", permissions, "cannot_tell", "not_permitted"],
  ["one's own rights", "/selfsubjectaccessreviews", trial, "cannot_tell", "trial_refused"],
  ["a pod for trial", PODS, trial, "cannot_tell", "trial_refused"],
] as const)
  for (const [status, code] of [
    [500, failing],
    [403, forbidden],
  ] as const)
    test(`${what}: asked for, the API server answers ${status}, which is ${code}`, async () => {
      fails = { at, status };
      const found: Finding = (await look())[0] ?? assert.fail("nothing is found");
      assert.equal(found.code, code);
      assert.equal(needsAction([found]), code === "cannot_tell");
      if (status !== 500) return;
      assert.match(found.message, /the API server failed.*etcdserver: request timed out/);
      assert.doesNotMatch(found.message + found.remedy, /you may|who may|ask for/);
    });
