/** The command lines of the control plane, as kubeadm would write them unless said otherwise. */

/** Nothing is to survive a test: no fsync, no other members. */
export const etcdArguments = (to: {
  readonly folder: string;
  readonly client: string;
  readonly peer: string;
  /** Where it says whether it is well, and nothing else. */
  readonly health?: string;
}): string[] => [
  ...(to.health ? [`--listen-metrics-urls=${to.health}`] : []),
  `--data-dir=${to.folder}`,
  `--listen-client-urls=${to.client}`,
  `--advertise-client-urls=${to.client}`,
  `--listen-peer-urls=${to.peer}`,
  `--initial-advertise-peer-urls=${to.peer}`,
  `--initial-cluster=default=${to.peer}`,
  "--unsafe-no-fsync",
  "--log-level=warn",
];

export interface ApiServerPlan {
  readonly etcd: string;
  readonly address: string;
  readonly port: number;
  /** The folder with ca.crt, apiserver.crt, apiserver.key, sa.pub and sa.key. */
  readonly pki: string;
  readonly serviceRanges: readonly string[];
}

export const apiServerArguments = (plan: ApiServerPlan): string[] => [
  `--etcd-servers=${plan.etcd}`,
  `--bind-address=${plan.address}`,
  `--advertise-address=${plan.address}`,
  `--secure-port=${plan.port}`,
  `--tls-cert-file=${plan.pki}/apiserver.crt`,
  `--tls-private-key-file=${plan.pki}/apiserver.key`,
  `--client-ca-file=${plan.pki}/ca.crt`,
  "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
  `--service-account-key-file=${plan.pki}/sa.pub`,
  `--service-account-signing-key-file=${plan.pki}/sa.key`,
  `--service-cluster-ip-range=${plan.serviceRanges.join(",")}`,
  "--authorization-mode=Node,RBAC",
  "--enable-admission-plugins=NodeRestriction",
  "--allow-privileged=true",
  // A test's bursts are to meet what is tested, not this.
  "--max-requests-inflight=2000",
  "--max-mutating-requests-inflight=1000",
  "--profiling=false",
];

/** More, for an API server that has nodes. */
export const nodesArguments = (pki: string): string[] => [
  `--kubelet-certificate-authority=${pki}/ca.crt`,
  `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
  `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
  "--kubelet-preferred-address-types=InternalIP",
];

export const controllerManagerArguments = (plan: {
  readonly kubeconfig: string;
  readonly pki: string;
}): string[] => [
  `--kubeconfig=${plan.kubeconfig}`,
  `--root-ca-file=${plan.pki}/ca.crt`,
  `--service-account-private-key-file=${plan.pki}/sa.key`,
  "--use-service-account-credentials=true",
  "--leader-elect=false",
  "--secure-port=0",
  "--controllers=*,bootstrapsigner,tokencleaner",
  // Its own limit of 20 a second costs five seconds at the start, and a burst of pods would be none.
  "--kube-api-qps=500",
  "--kube-api-burst=1000",
];
