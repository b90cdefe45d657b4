const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** What the documentation says can be set, each as values. */
export const SCENARIOS: Readonly<Record<string, object>> = {
  "the default values": {},
  "one controller": { replicas: 1 },
  "a registry, a tag and a pull Secret of one's own": {
    image: { registry: "registry.example/team/sallyport", tag: "0.1.0-rc.1", pullPolicy: "Always" },
    imagePullSecrets: ["registry-example"],
  },
  "images by digest": { image: { digests: { proxy: DIGEST, init: DIGEST, controller: DIGEST } } },
  "audit where no boundary enforces, and kinds that somebody else installs": {
    defaultMode: "audit",
    crds: { install: false },
  },
  "a policy of the installation's": {
    injection: {
      resolvers: ["10.96.0.10"],
      clusterCidrs: ["10.96.0.0/16", "10.244.0.0/16"],
      policy: {
        resolvers: ["10.96.0.10"],
        rules: [
          {
            apiVersion: "sallyport.dev/v1alpha1",
            kind: "EgressRule",
            metadata: { name: "googleapis", namespace: "shop" },
            spec: {
              to: [{ hosts: ["*.googleapis.com"], ports: [{ port: 443, protocol: "tls" }] }],
            },
          },
        ],
      },
    },
  },
  "every option of injection": {
    injection: {
      sidecar: "ordinary",
      proxyUid: 4_294_967_294,
      proxyGid: 1337,
      outsideUdp: "reject",
      accessLog: { select: "denied", queueBytes: 65_536 },
      logLevel: "debug",
      resources: { requests: { cpu: "20m" }, limits: { cpu: "1", memory: "128Mi" } },
      dangerousPods: "warn",
    },
  },
  "certificates by cert-manager": { certificate: { source: "certManager" } },
  "certificates from files": {
    certificate: {
      source: "files",
      secretName: "webhook-tls",
      caBundle: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    },
  },
  "a NetworkPolicy": { networkPolicy: { enabled: true, apiServerPorts: [6443] } },
  "where and how the controllers run": {
    clusterDomain: "corp.example",
    replicas: 3,
    logLevel: "debug",
    resources: { requests: { cpu: 1, memory: "128Mi" }, limits: { cpu: "2", memory: "512Mi" } },
    webhooks: { timeoutSeconds: 2 },
    certificate: { life: "30d" },
    priorityClassName: "system-cluster-critical",
    nodeSelector: { "node-role.kubernetes.io/control-plane": "" },
    tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Exists" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "gpu", operator: "DoesNotExist" }] }],
        },
      },
    },
    podAnnotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" },
  },
};
