import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import type { PodRequest } from "@sallyport/controller/admission/pod";
import { admitted, CONTROL, containerOf, podOf } from "./pod-support.ts";

/** Whole pods to read. After a change on purpose: UPDATE_GOLDEN=1 npm test -- pod-golden && npm run format; read the diff. */
const GOLDENS: Readonly<
  Record<string, readonly [JsonObject, InjectionOptionsInput, Partial<PodRequest>?]>
> = {
  "a-plain-pod": [podOf(), {}],

  "annotations-and-policy": [
    podOf(
      { terminationGracePeriodSeconds: 60 },
      {
        annotations: {
          "sallyport.dev/inject": "true",
          "sallyport.dev/exclude-outbound-cidrs": "10.0.0.0/8",
          "sallyport.dev/include-outbound-ports": "80, 443",
          "sallyport.dev/proxy-memory-limit": "1Gi",
          "sallyport.dev/log-level": "debug",
          "sallyport.dev/ca-bundle": "corporate-ca/root.pem",
        },
      },
    ),
    {
      policy: {
        mode: "enforce",
        rules: [
          {
            apiVersion: "sallyport.dev/v1alpha1",
            kind: "EgressRule",
            metadata: { name: "outside" },
            spec: {
              to: [{ cidrs: ["203.0.113.0/24"], ports: [{ port: 443, protocol: "tcp" }] }],
            },
          },
        ],
      },
      resolvers: ["10.96.0.10"],
      clusterCidrs: ["10.96.0.0/12"],
    },
  ],

  "a-hardened-pod-with-sidecars": [
    podOf({
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "Localhost", localhostProfile: "app.json" },
        appArmorProfile: { type: "Localhost", localhostProfile: "app" },
      },
      initContainers: [
        containerOf({ name: "migrate" }),
        containerOf({ name: "logs", restartPolicy: "Always" }),
      ],
    }),
    {},
  ],

  "resources-of-the-pod": [
    podOf({
      resources: {
        requests: { cpu: "500m", memory: "1Gi", "hugepages-2Mi": "2Mi" },
        limits: { cpu: "1", "hugepages-2Mi": "2Mi" },
      },
    }),
    {},
  ],

  "a-pod-of-a-cluster": [
    podOf(
      { automountServiceAccountToken: false, securityContext: { fsGroup: 1000 } },
      { annotations: { "sallyport.dev/ca-bundle": "corporate-ca" } },
    ),
    { policy: { mode: "enforce" }, resolvers: ["10.96.0.10"], clusterCidrs: ["10.96.0.0/12"] },
    { control: CONTROL },
  ],

  "an-ordinary-sidecar": [
    podOf({ restartPolicy: "OnFailure", initContainers: null }, { annotations: null }),
    { sidecar: "ordinary", proxyUid: 1_500, proxyGid: 1_500 },
  ],
};

for (const [name, [pod, options, request]] of Object.entries(GOLDENS))
  test(`${name} is injected as golden/${name}.json shows`, () => {
    const file = join(import.meta.dirname, "golden", `${name}.json`);
    const text = (value: unknown) => JSON.stringify(value, null, 2);
    const injected = admitted(pod, request, options);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text(injected));
    assert.equal(text(injected), text(JSON.parse(readFileSync(file, "utf8"))));
  });
