import type { InstallFacts } from "@sallyport/cli/check/facts";

// biome-ignore lint/suspicious/noExplicitAny: objects as a cluster might have them
export type Any = any;

/** An installation of which everything is there, and nothing out of the ordinary. */
export function factsOf(changes: Partial<Record<keyof InstallFacts, Any>> = {}): InstallFacts {
  return {
    namespace: "sallyport-system",
    kubernetes: { value: { minor: "34", gitVersion: "v1.34.4" } },
    deployment: {
      value: {
        metadata: { labels: { "app.kubernetes.io/version": "0.1.0" } },
        spec: { replicas: 2, template: { spec: { containers: [{ args: [] }] } } },
        status: { availableReplicas: 2 },
      },
    },
    service: { value: {} },
    endpointSlices: { value: [{ endpoints: [{ addresses: ["10.0.0.1"] }] }] },
    configMap: { value: { data: { "config.json": "{}" } } },
    secretName: "sallyport-certificate",
    secret: { absent: true },
    lease: { absent: true },
    mutating: { absent: true },
    validating: { absent: true },
    crds: [],
    atMs: 0,
    ...changes,
  };
}
