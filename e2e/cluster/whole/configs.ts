import { type Families, nodeAddresses, ofFamilies, PLAN } from "./plan.ts";

/** What the components of the node read. Paths are as the box shows them. */

export const FILES = {
  containerd: `${PLAN.state}/containerd.toml`,
  cni: `${PLAN.state}/cni-config`,
  kubelet: `${PLAN.state}/kubelet.yaml`,
  proxy: `${PLAN.state}/kube-proxy.yaml`,
  resolver: `${PLAN.state}/resolv.conf`,
  socket: "/run/containerd/containerd.sock",
  /** The names of the world, as in /etc/hosts. */
  names: `${PLAN.state}/world/names`,
  pki: `${PLAN.state}/pki`,
  /** The administrator's. */
  kubeconfig: `${PLAN.state}/kubeconfig`,
} as const;

export const containerdConfig = (pause: string): string => `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
address = "${FILES.socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pause}"
# Without CAP_SYS_RESOURCE no score can be lowered; runc says of it only "can't get final child's PID from pipe: EOF".
restrict_oom_score_adj = true
disable_hugetlb_controller = true
tolerate_missing_hugetlb_controller = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${FILES.cni}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;

/** The pods' network: a bridge, addresses from the node's ranges, and host ports. */
export const cniConfig = (families: Families) => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "pods",
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: "host-local",
        ranges: ofFamilies(families, PLAN.nodePods).map((subnet) => [{ subnet }]),
        routes: ofFamilies(families, ["0.0.0.0/0", "::/0"]).map((dst) => ({ dst })),
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

export const kubeletConfig = () => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${FILES.pki}/ca.crt` },
  },
  authorization: { mode: "Webhook" },
  tlsCertFile: `${FILES.pki}/kubelet.crt`,
  tlsPrivateKeyFile: `${FILES.pki}/kubelet.key`,
  containerRuntimeEndpoint: `unix://${FILES.socket}`,
  clusterDNS: [PLAN.dns],
  clusterDomain: PLAN.domain,
  resolvConf: FILES.resolver,
  cgroupDriver: "cgroupfs",
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: [],
  volumePluginDir: "/var/lib/kubelet/volume-plugins",
  // The disk is the machine's, and how full it is no affair of the tests.
  evictionHard: { "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" },
  imageGCHighThresholdPercent: 100,
  maxPods: 250,
});

export const proxyConfig = (families: Families, kubeconfig: string) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig },
  mode: "iptables",
  clusterCIDR: ofFamilies(families, PLAN.pods).join(","),
  hostnameOverride: PLAN.node,
  // Tables of connections are sized for the machine as a whole.
  conntrack: { maxPerCore: 0, min: 0 },
});

export const kubeletArguments = (families: Families, kubeconfig: string): string[] => [
  `--config=${FILES.kubelet}`,
  `--kubeconfig=${kubeconfig}`,
  `--hostname-override=${PLAN.node}`,
  `--node-ip=${nodeAddresses(families).join(",")}`,
  "--root-dir=/var/lib/kubelet",
];
