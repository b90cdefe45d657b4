import { dirname } from "node:path";
import {
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  RbacAuthorizationV1Api,
} from "@kubernetes/client-node";
import { FILES } from "./configs.ts";
import { PLAN } from "./plan.ts";

const namespace = "kube-system";
const name = "coredns";
const labels = { "k8s-app": "kube-dns" };
const metadata = { name, namespace };

/** Names that tests make up for the world outside are in a file of the node, in the form of /etc/hosts. */
const corefile = `.:53 {
  errors
  health
  ready
  kubernetes ${PLAN.domain} in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 5
  }
  hosts /etc/world/names {
    ttl 1
    reload 1s
    fallthrough
  }
  file /etc/coredns/nothing .
  cache 5
  loadbalance
}
`;

/** Any other name does not exist: a root zone without a name. */
const nothing = `. 5 IN SOA ns.invalid. nobody.invalid. 1 60 60 60 5
. 5 IN NS ns.invalid.
`;

/** CoreDNS as kubeadm installs it, one replica. */
export async function installCoreDns(config: KubeConfig, image: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  await core.createNamespacedServiceAccount({ namespace, body: { metadata } });
  await rbac.createClusterRole({
    body: {
      metadata: { name: "system:coredns" },
      rules: [
        {
          ...{ apiGroups: [""], verbs: ["list", "watch"] },
          resources: ["services", "pods", "namespaces"],
        },
        {
          apiGroups: ["discovery.k8s.io"],
          verbs: ["list", "watch"],
          resources: ["endpointslices"],
        },
      ],
    },
  });
  await rbac.createClusterRoleBinding({
    body: {
      metadata: { name: "system:coredns" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "system:coredns",
      },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  });
  await core.createNamespacedConfigMap({
    namespace,
    body: { metadata, data: { Corefile: corefile, nothing } },
  });
  await core.createNamespacedService({
    namespace,
    body: {
      metadata: { name: "kube-dns", namespace, labels },
      spec: {
        clusterIP: PLAN.dns,
        selector: labels,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
  });
  await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
    namespace,
    body: { metadata: { ...metadata, labels }, spec: deployment(image) },
  });
}

const deployment = (image: string) => ({
  replicas: 1,
  selector: { matchLabels: labels },
  template: {
    metadata: { labels },
    spec: {
      serviceAccountName: name,
      priorityClassName: "system-cluster-critical",
      dnsPolicy: "Default",
      containers: [
        {
          name,
          image,
          imagePullPolicy: "Never",
          args: ["-conf", "/etc/coredns/Corefile"],
          resources: { requests: { cpu: "50m", memory: "70Mi" } },
          ports: [
            { name: "dns", containerPort: 53, protocol: "UDP" },
            { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
          ],
          readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
          livenessProbe: { httpGet: { path: "/health", port: 8080 }, initialDelaySeconds: 60 },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
            readOnlyRootFilesystem: true,
          },
          volumeMounts: [
            { name: "config", mountPath: "/etc/coredns", readOnly: true },
            { name: "world", mountPath: "/etc/world", readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: "config", configMap: { name } },
        { name: "world", hostPath: { path: dirname(FILES.names), type: "Directory" } },
      ],
    },
  },
});
