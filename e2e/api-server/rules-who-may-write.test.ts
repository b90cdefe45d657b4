import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lackingHelm } from "../../scripts/chart/helm.ts";
import { rendered } from "../../scripts/chart/rendered.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Commands, commandsAt, takeKinds } from "./chart-commands.ts";
import { until } from "./until.ts";

const RULES = "egressrules.sallyport.dev";
const BOUNDARIES = "egressboundaries.sallyport.dev";

// With controllers: one of them puts what is to be in view into view, edit and admin.
describe("who may read and write rules", {
  skip: lackingApiServer({ controllers: true }) || lackingHelm,
}, () => {
  let server: OwnApiServer;
  let commands: Commands;
  before(async () => {
    server = await startApiServer({ controllers: true });
    commands = commandsAt(server.kubeconfig);
    const roles = rendered({}).filter(({ kind }) => kind === "ClusterRole");
    await takeKinds(commands);
    await commands.kubectl(
      ["apply", "-f", "-"],
      roles.map((role) => JSON.stringify(role)).join("\n"),
    );
    for (const namespace of ["shop", "other"])
      await commands.kubectl(["create", "namespace", namespace]);
    for (const [user, role] of [
      ["viewer", "view"],
      ["editor", "edit"],
      ["administrator", "admin"],
      ["ruler", "sallyport-egressrule-editor"],
    ] as const)
      await commands.kubectl([
        ...["create", "rolebinding", user, "--namespace", "shop", `--user=${user}`],
        `--clusterrole=${role}`,
      ]);
    await commands.kubectl([
      ...["create", "clusterrolebinding", "platform", "--user=platform"],
      "--clusterrole=sallyport-egressboundary-editor",
    ]);
    // One role is put together from the other: view, edit, admin.
    await until(
      "what each may do",
      () =>
        Promise.all([
          ...["viewer", "editor", "administrator"].map((user) => may(user, "list", RULES)),
          may("ruler", "create", RULES),
          may("platform", "create", BOUNDARIES),
        ]),
      (all) => all.every(Boolean),
    );
  });
  after(() => server?.stop());

  const may = async (user: string, verb: string, what: string, ...more: readonly string[]) => {
    const { stdout } = await commands.kubectl([
      ...["auth", "can-i", verb, what, "--as", user, "--namespace", "shop", ...more],
    ]);
    return stdout.trim() === "yes";
  };

  for (const [user, readsRules, writesRules, writesBoundaries] of [
    ["viewer", true, false, false],
    ["editor", true, false, false],
    ["administrator", true, false, false],
    ["ruler", true, true, false],
    ["platform", false, false, true],
  ] as const)
    test(`${user}: ${readsRules ? "reads rules" : "reads no rules"}, ${writesRules ? "writes them" : "writes none"}, ${writesBoundaries ? "writes boundaries" : "writes no boundary"}`, async () => {
      const found = {
        reads: await may(user, "list", RULES),
        ...Object.fromEntries(
          await Promise.all(
            ["create", "update", "patch", "delete"].map(async (verb) => [
              verb,
              [await may(user, verb, RULES), await may(user, verb, BOUNDARIES)],
            ]),
          ),
        ),
      };
      const writes = [writesRules, writesBoundaries];
      assert.deepEqual(found, {
        ...{ reads: readsRules, create: writes, update: writes, patch: writes, delete: writes },
      });
      assert.equal(await may(user, "list", RULES, "--namespace=other"), false);
      // Status is the controllers'.
      assert.equal(await may(user, "patch", RULES, "--subresource=status"), false);
    });

  test("an editor of everything else is told that rules are not among it, and writes one once the platform team has given it", async () => {
    const rule = JSON.stringify({
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
      metadata: { name: "web", namespace: "shop" },
      spec: { to: [{ hosts: ["a.example"], ports: [{ port: 443, protocol: "tls" }] }] },
    });
    const write = () => commands.kubectl(["create", "--as=editor", "-f", "-"], rule);
    assert.match((await write()).stderr, /cannot create resource "egressrules"/);
    await commands.kubectl([
      ...["create", "rolebinding", "given", "--namespace", "shop", "--user=editor"],
      "--clusterrole=sallyport-egressrule-editor",
    ]);
    const { status, stderr } = await until("a rule", write, (said) => said.status === 0);
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
