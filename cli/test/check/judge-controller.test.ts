import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { judgeController, KUBERNETES } from "@sallyport/cli/check/judge-controller";
import { type Any, factsOf } from "./facts-of.ts";

const deployment = (changes: Any) => {
  const { value } = factsOf().deployment as Any;
  return { deployment: { value: { ...value, ...changes } } };
};
const version = (minor: string, gitVersion = `v1.${minor}.0`) => ({
  kubernetes: { value: { minor, gitVersion } },
});
const config = (text: string) => ({ configMap: { value: { data: { "config.json": text } } } });

for (const [what, changes, expected] of [
  ["all is there", {}, []],
  ["Kubernetes is too old for native sidecars", version("28"), ["kubernetes_too_old"]],
  [
    "Kubernetes is old, and sidecars are ordinary",
    { ...version("28"), ...config('{"sidecar":"ordinary"}') },
    ["kubernetes_untried"],
  ],
  ["the oldest Kubernetes with native sidecars", version("29"), ["kubernetes_untried"]],
  ["the oldest Kubernetes that was tried", version(`${KUBERNETES.oldestTried}`), []],
  ["the newest Kubernetes that was tried", version(`${KUBERNETES.newestTried}`), []],
  ["a provider writes its minor version with a plus", version("34+"), []],
  ["Kubernetes is newer than any that was tried", version("99"), ["kubernetes_untried"]],
  [
    "one replica of two is available",
    deployment({ status: { availableReplicas: 1 } }),
    ["controller_degraded"],
  ],
  ["none is available", deployment({ status: {} }), ["controller_unavailable"]],
  ["the Deployment is gone", { deployment: { absent: true } }, ["controller_missing"]],
  ["the Deployment may not be read", { deployment: { unknown: "no", forbidden: true } }, []],
  ["the Service is gone", { service: { absent: true } }, ["service_missing"]],
  [
    "the Service has no endpoints",
    { endpointSlices: { value: [] } },
    ["service_without_endpoints"],
  ],
  [
    "the only endpoint is not ready",
    { endpointSlices: { value: [{ endpoints: [{ conditions: { ready: false } }] }] } },
    ["service_without_endpoints"],
  ],
  ["the configuration is no JSON", config("{"), ["configuration_unusable"]],
  [
    "the configuration has a key that is not known",
    config('{"new":1}'),
    ["configuration_unusable"],
  ],
  [
    "the controller is of another version",
    deployment({ metadata: { labels: { "app.kubernetes.io/version": "0.9.0" } } }),
    ["versions_differ"],
  ],
] as const)
  test(`${what}: ${expected.join(", ") || "nothing to say"}`, () => {
    const { findings } = judgeController(factsOf(changes));
    assert.deepEqual(
      findings.map(({ code }) => code),
      expected,
    );
  });

test("without a version label, the image's tag tells the version", () => {
  for (const [image, expected] of [
    ["registry.example:5000/sallyport/controller:1.2.3", "1.2.3"],
    ["sallyport/controller:1.2.3@sha256:00", "1.2.3"],
    ["sallyport/controller@sha256:00", "0.1.0"],
  ]) {
    const changes = deployment({
      metadata: {},
      spec: { template: { spec: { containers: [{ image }] } } },
    });
    assert.equal(judgeController(factsOf(changes)).state.installation.version, expected, image);
  }
});

test("the reference says on which versions of Kubernetes it was tried", () => {
  const page = resolve(import.meta.dirname, "../../../docs/reference/check.md");
  const { oldestTried, newestTried } = KUBERNETES;
  const said = `older than 1.${oldestTried}, the oldest version that was tried, or newer than 1.${newestTried}, the newest`;
  assert.ok(readFileSync(page, "utf8").includes(said), said);
});
