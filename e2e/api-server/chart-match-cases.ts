export const INJECT = { "sallyport.dev/inject": "true" };
const UNRELATED = { "example.com/inject": "true" };
const app = { name: "app", image: "app" };
export const ours = (name: string) => ({ name, image: "sidecar" });

interface Described {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}
export const podWith = (metadata: Described, spec: object = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: { ...metadata, name: "web" },
  spec: { containers: [app], ...spec },
});
const workload = (kind: string, own: Described, template: Described) => {
  const labels = { app: "web" };
  const job = {
    template: { metadata: template, spec: { containers: [app], restartPolicy: "Never" } },
  };
  const running = {
    selector: { matchLabels: labels },
    template: {
      metadata: { ...template, labels: { ...labels, ...template.labels } },
      spec: { containers: [app] },
    },
  };
  const [apiVersion, spec] =
    kind === "CronJob"
      ? ["batch/v1", { schedule: "0 0 * * *", jobTemplate: { spec: job } }]
      : kind === "Job"
        ? ["batch/v1", job]
        : ["apps/v1", kind === "StatefulSet" ? { ...running, serviceName: "web" } : running];
  return { apiVersion, kind, metadata: { ...own, name: "web" }, spec };
};

/** What is created where → which of the webhooks the API server calls, each as its name begins. */
export const CASES: readonly (readonly [what: string, object: object, calls: readonly string[]])[] =
  [
    ["a pod that mentions nothing", podWith({}), ["pods", "final-pods"]],
    [
      "a pod with annotations and labels of others",
      podWith({ annotations: UNRELATED, labels: UNRELATED }),
      ["pods", "final-pods"],
    ],
    [
      "a pod that asks for a sidecar",
      podWith({ annotations: { ...UNRELATED, ...INJECT } }),
      ["pods", "final-pods"],
    ],
    [
      "a pod that asks by a label, which is a mistake to be told",
      podWith({ labels: INJECT }),
      ["pods", "final-pods"],
    ],
    [
      "a pod with an annotation that does not exist",
      podWith({ annotations: { "sallyport.dev/injcet": "true" } }),
      ["pods", "final-pods"],
    ],
    [
      "a pod with containers of our names",
      podWith({}, { initContainers: [ours("sallyport-init"), ours("sallyport-proxy")] }),
      ["pods", "final-pods"],
    ],
    [
      "a pod with an ordinary sidecar of our name",
      podWith({}, { containers: [ours("sallyport-proxy"), app] }),
      ["pods", "final-pods"],
    ],
    ...["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"].flatMap(
      (kind) =>
        [
          [`a ${kind} that mentions nothing`, workload(kind, {}, {}), ["workloads"]],
          [`a ${kind} that asks`, workload(kind, { annotations: INJECT }, {}), ["workloads"]],
          [
            `a ${kind} whose template asks`,
            workload(kind, {}, { annotations: INJECT }),
            ["workloads"],
          ],
          [
            `a ${kind} whose template asks by a label`,
            workload(kind, {}, { labels: INJECT }),
            ["workloads"],
          ],
        ] as const,
    ),
  ];
