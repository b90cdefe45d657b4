import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { InjectionOptions } from "@sallyport/controller/admission/options";
import { parseFlags } from "@sallyport/controller/flags";
import { VERSION } from "@sallyport/core/version";
import { parse } from "yaml";
import { CHART, HelmError, lackingHelm, runHelm, template } from "../chart/helm.ts";
import { configIn, containerIn, rendered, scenario } from "../chart/rendered.ts";
import { SCENARIOS } from "../chart/scenarios.ts";

test("the chart bears the one version", () => {
  const { version, appVersion } = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"));
  assert.deepEqual({ version, appVersion }, { version: VERSION, appVersion: VERSION });
});

describe("the chart's values", { skip: lackingHelm }, () => {
  for (const [name, values] of Object.entries(SCENARIOS))
    test(`${name}: helm finds no fault, and the controller takes its options and its configuration`, () => {
      const kubeVersion = ["--kube-version", "1.34.0"];
      runHelm(["lint", "--strict", CHART, ...kubeVersion, "--values", "-"], JSON.stringify(values));
      const objects = rendered(values);
      assert.equal(typeof parseFlags(containerIn(objects).args), "object");
      configIn(objects);
    });

  test("what is injected by default is what the controller injects by default, by the images of this version; and what is not permitted is refused", () => {
    const wanted = InjectionOptions.parse({ policy: { mode: "enforce" } });
    assert.deepEqual(configIn(rendered({})), {
      ...wanted,
      images: {
        ...wanted.images,
        init: `docker.io/sallyport/init:${VERSION}`,
        proxy: `docker.io/sallyport/proxy:${VERSION}`,
      },
    });
  });

  test("images are named by registry and tag, or by digest, all three alike", () => {
    const namesIn = (name: string) => {
      const objects = rendered(scenario(name));
      const { init, proxy } = configIn(objects).images;
      return [containerIn(objects).image, init, proxy];
    };
    assert.deepEqual(namesIn("a registry, a tag and a pull Secret of one's own"), [
      "registry.example/team/sallyport/controller:0.1.0-rc.1",
      "registry.example/team/sallyport/init:0.1.0-rc.1",
      "registry.example/team/sallyport/proxy:0.1.0-rc.1",
    ]);
    for (const name of namesIn("images by digest"))
      assert.match(name, /^docker\.io\/sallyport\/\w+@sha256:[0-9a-f]{64}$/);
  });

  test("the cluster's domain is the controllers' and the sidecars', unless the policy names another", () => {
    const domainOf = (values: object) =>
      (configIn(rendered(values)).policy as { cluster?: { domain?: string } }).cluster?.domain;
    assert.equal(domainOf({ clusterDomain: "corp.example" }), "corp.example");
    const policy = { cluster: { domain: "other.example" } };
    assert.equal(
      domainOf({ clusterDomain: "corp.example", injection: { policy } }),
      "other.example",
    );
  });

  test("defaultMode and injection reach the sidecars' policy, and numbers stay whole", () => {
    const { policy } = configIn(rendered(scenario("a policy of the installation's")));
    assert.equal(policy.mode, "enforce");
    assert.equal(configIn(rendered({ defaultMode: "audit" })).policy.mode, "audit");
    assert.equal(policy.rules[0]?.metadata.name, "googleapis");
    const { proxyUid } = configIn(rendered(scenario("every option of injection")));
    assert.equal(proxyUid, 4_294_967_294);
  });

  for (const [values, complaint] of [
    [{ replcas: 3 }, /additional properties 'replcas' not allowed/],
    [{ image: { tga: "1" } }, /at '\/image': additional properties 'tga' not allowed/],
    [{ replicas: "three" }, /at '\/replicas': got string, want integer/],
    [{ injection: { images: {} } }, /at '\/injection': additional properties 'images' not allowed/],
    [{ injection: { policy: { mode: "enforce" } } }, /at '\/injection\/policy': .*'mode'/],
    [{ injection: { policy: { rules: [{ kind: "Rule" }] } } }, /at '\/injection\/policy\/rules\/0/],
    [{ crds: { keep: false } }, /at '\/crds': additional properties 'keep' not allowed/],
    [{ defaultMode: "off" }, /at '\/defaultMode': value must be one of 'audit', 'enforce'/],
    [{ certificate: { source: "files" } }, /certificate\.source is files: certificate\.\w+ has to/],
    [{ certificate: { life: "1 year" } }, /at '\/certificate\/life'/],
  ] as const)
    test(`${JSON.stringify(values)} is refused, and why is said`, () => {
      assert.throws(() => template(values), complaint);
    });

  test("a cluster without native sidecars is refused", () => {
    assert.throws(
      () => runHelm(["template", CHART, "--kube-version", "1.28.9"]),
      (error) => error instanceof HelmError && /requires kubeVersion: >=1\.29/.test(error.message),
    );
  });
});
