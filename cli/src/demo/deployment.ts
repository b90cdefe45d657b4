import type { JsonObject } from "@sallyport/controller/admission/admission";
import { EXCLUDED_PORTS } from "./attempts.ts";
import { NAMESPACE } from "./world.ts";

export const DEPLOYMENT = "web";
/** The ConfigMap whose `ca.crt` has the authority of the demo's world. */
export const CA_BUNDLE = "world-ca";

/** An ordinary workload, as its author would write it. Its app needs no privilege, and has none. */
const template = {
  metadata: {
    labels: { app: "web" },
    annotations: {
      "sallyport.dev/inject": "true",
      "sallyport.dev/exclude-outbound-ports": EXCLUDED_PORTS,
      "sallyport.dev/ca-bundle": CA_BUNDLE,
    },
  },
  spec: {
    containers: [
      {
        name: "app",
        image: "shop/web:1.0",
        ports: [{ containerPort: 8080 }],
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  },
} as const;

/** The pod as the ReplicaSet controller hands it to the API server: from the template, with a generated name to come. */
export function podOfDeployment(): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${DEPLOYMENT}-5d9c7b44f-`,
      namespace: NAMESPACE,
      labels: { ...template.metadata.labels, "pod-template-hash": "5d9c7b44f" },
      annotations: template.metadata.annotations,
    },
    spec: template.spec,
  };
}
