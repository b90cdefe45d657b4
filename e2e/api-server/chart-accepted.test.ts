import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { lackingHelm, NAMESPACE, template } from "../../scripts/chart/helm.ts";
import { objectsOf } from "../../scripts/chart/objects.ts";
import { SCENARIOS } from "../../scripts/chart/scenarios.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Commands, commandsAt, MANIFEST } from "./chart-commands.ts";

// An API server of its own: the chart's objects have fixed names.
describe("what the chart makes is taken by an API server that warns of nothing", {
  skip: lackingHelm || lackingApiServer(),
}, () => {
  let server: OwnApiServer;
  let commands: Commands;
  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    await commands.kubectl(["create", "namespace", NAMESPACE]);
    const level = ["enforce", "warn"].map(
      (mode) => `pod-security.kubernetes.io/${mode}=restricted`,
    );
    await commands.kubectl(["label", "namespace", NAMESPACE, ...level]);
  });
  after(() => server.stop());

  const apply = (yaml: string) =>
    commands.kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", "-"], yaml);
  /** cert-manager's objects are for its own API server part to judge, which is not here. */
  const known = (yaml: string) =>
    yaml
      .split(/^---\n/m)
      .filter((document) => !/^apiVersion: cert-manager\.io\//m.test(document))
      .join("---\n");

  for (const [name, values] of Object.entries(SCENARIOS))
    for (const when of ["install", "upgrade"])
      test(`${name}, on ${when}, where Pod Security warns of everything that is not restricted`, async () => {
        const options = when === "upgrade" ? ["--is-upgrade"] : [];
        const yaml = known(template(values, ...options));
        const { status, stdout, stderr } = await apply(yaml);
        assert.deepEqual([status, stderr], [0, ""]);
        assert.equal(stdout.trim().split("\n").length, objectsOf(yaml).length);
      });

  test("manifests/install.yaml, which makes its own namespace", async () => {
    const { status, stderr } = await apply(readFileSync(MANIFEST, "utf8"));
    // Of the namespace that this test has made by another command.
    const others = stderr.replace(/^Warning: resource namespaces\/.*\n/gm, "");
    assert.deepEqual([status, others], [0, ""]);
  });

  test("a mistake would be found: an unknown field is refused, a pod with more than it needs is warned of", async () => {
    const yaml = known(template({}));
    const misspelt = yaml.replace("terminationGracePeriodSeconds", "terminationGraceSeconds");
    assert.match(
      (await apply(misspelt)).stderr,
      /unknown field "spec.template.spec.terminationGraceSeconds"/,
    );
    const loose = yaml.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true");
    assert.match((await apply(loose)).stderr, /would violate PodSecurity/);
  });
});
