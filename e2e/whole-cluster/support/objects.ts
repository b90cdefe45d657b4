import type { V1PodSpec } from "@kubernetes/client-node";
import type { Manifest } from "./kubectl.ts";

export const INJECTED = { "sallyport.dev/inject": "true" };

type Annotations = Readonly<Record<string, string>>;

export const pod = (name: string, spec: V1PodSpec, annotations: Annotations = {}): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, annotations, labels: { app: name } },
  spec,
});

const template = (name: string, spec: V1PodSpec) => ({ metadata: { labels: { app: name } }, spec });
const selector = (name: string) => ({ matchLabels: { app: name } });

/** The annotations are the workload's own, as `kubectl annotate` writes them. */
export const deployment = (
  name: string,
  spec: V1PodSpec,
  annotations: Annotations = {},
): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, annotations },
  spec: { selector: selector(name), template: template(name, spec) },
});

export const statefulSet = (name: string, spec: V1PodSpec): Manifest => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name },
  spec: { serviceName: name, selector: selector(name), template: template(name, spec) },
});

export const daemonSet = (name: string, spec: V1PodSpec): Manifest => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name },
  spec: { selector: selector(name), template: template(name, spec) },
});

const jobSpec = (name: string, spec: V1PodSpec) => ({
  backoffLimit: 0,
  template: template(name, { restartPolicy: "Never", ...spec }),
});

export const job = (name: string, spec: V1PodSpec, annotations: Annotations = {}): Manifest => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name, annotations },
  spec: jobSpec(name, spec),
});

/** Every minute: the shortest that there is. */
export const cronJob = (
  name: string,
  spec: V1PodSpec,
  annotations: Annotations = {},
): Manifest => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name, annotations },
  spec: { schedule: "* * * * *", jobTemplate: { spec: jobSpec(name, spec) } },
});
