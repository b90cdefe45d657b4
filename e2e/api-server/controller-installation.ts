import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1MutatingWebhook } from "@kubernetes/client-node";
import { issueOneShot } from "@sallyport/controller/certificates";
import { connect, type KubernetesApi } from "@sallyport/controller/kubernetes/client";
import { REPLICAS_CONFIG_MAP } from "@sallyport/controller/status/presence";
import type { ApiServer } from "../cluster/api-server.ts";
import { freePorts } from "../cluster/free-ports.ts";
import { ControllerProcess, type Line } from "./controller-process.ts";
import { controllerRules } from "./controller-rules.ts";
import { ServiceFront } from "./service-front.ts";

/** Everything of an installation but its pods: processes on loopback are the replicas, with the rights that a pod has. */
export interface Installation extends AsyncDisposable {
  /** The name of every object of it, and of its namespace. */
  readonly name: string;
  /** As an administrator. */
  readonly api: KubernetesApi;
  /** A namespace whose pods get a sidecar. */
  readonly pods: string;
  /** Which of the replicas that were started answer is theirs to say; these are those that were started. */
  readonly started: readonly Replica[];
  /** Starts one more replica. Its rights are those of its ServiceAccount; `server` is another way to the API server. */
  replica(more?: readonly string[], server?: string): Promise<Replica>;
  /** The entries of both webhook configurations. */
  entries(): Promise<readonly V1MutatingWebhook[]>;
  /** Lets replicas say that something is forbidden to them: it fails the test otherwise. */
  expectForbidden(): void;
}

export interface Replica extends ControllerProcess {
  readonly port: number;
}

/** Quick enough for a test; still in the order that keeps every call alive. */
export const SHORT = [
  ...["--certificate-life", "60s", "--certificate-settling", "2s"],
  ...["--certificate-overlap", "7s"],
] as const;

/** Where the replicas' certificate is from: each has its own mode's options. */
export type CertificateSource = "generated" | "files";

export async function install(
  server: ApiServer,
  source: CertificateSource = "generated",
): Promise<Installation> {
  const name = `sallyport-${randomBytes(4).toString("hex")}`;
  const pods = `${name}-pods`;
  const api = connect(server.kubeconfig);
  await using made = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "sallyport-installation-"));
  made.defer(() => rmSync(folder, { recursive: true }));
  const started: Replica[] = [];
  const front = made.use(await ServiceFront.start(() => started.map(({ port }) => port)));
  let forbiddenExpected = false;

  const labels = { "sallyport.dev/injection": "all" };
  await api.core.createNamespace({ body: { metadata: { name } } });
  await api.core.createNamespace({ body: { metadata: { name: pods, labels } } });
  // Without a controller manager nobody makes it, and pods cannot be without.
  await api.core.createNamespacedServiceAccount({
    namespace: pods,
    body: { metadata: { name: "default" } },
  });
  await serviceAccount(api, server.kubeconfig, name);
  const { caBundle, options } = await certificateFor(source, name, folder);
  await objects(api, name, front.port, caBundle);
  const token = await api.core.createNamespacedServiceAccountToken({
    ...{ namespace: name, name },
    body: { spec: { audiences: [], expirationSeconds: 3_600 } },
  });

  const rest = made.move();
  return {
    ...{ name, api, pods, started },
    replica: async (more = [], url = server.url) => {
      const kubeconfig = join(folder, `kubeconfig-${started.length}`);
      writeFileSync(
        kubeconfig,
        JSON.stringify(tokenKubeconfig(url, server.ca, token.status?.token ?? "")),
      );
      const { port } = await freePorts("127.0.0.1", ["port"]);
      const child = new ControllerProcess([
        ...["--kubeconfig", kubeconfig, "--namespace", name, "--port", String(port)],
        ...[...options, "--webhooks", name, "--lease", name, ...more],
      ]);
      const replica = Object.assign(child, { port });
      started.push(replica);
      await replica.line("listening");
      return replica;
    },
    entries: async () => {
      const found = await Promise.all([
        api.admission.readMutatingWebhookConfiguration({ name }),
        api.admission.readValidatingWebhookConfiguration({ name }),
      ]);
      return found.flatMap(({ webhooks }) => (webhooks ?? []) as V1MutatingWebhook[]);
    },
    expectForbidden: () => {
      forbiddenExpected = true;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map((each) => each[Symbol.asyncDispose]()));
      await rest.disposeAsync();
      await Promise.allSettled([
        api.admission.deleteMutatingWebhookConfiguration({ name }),
        api.admission.deleteValidatingWebhookConfiguration({ name }),
      ]);
      const forbidden = started.flatMap(({ lines }) =>
        lines.filter((line: Line) => /forbidden/i.test(JSON.stringify(line))),
      );
      if (!forbiddenExpected) assert.deepEqual(forbidden, [], "its rights suffice");
    },
  };
}

/** What the chart tells a controller of its certificate, and what the webhook configurations begin with. */
async function certificateFor(source: CertificateSource, name: string, folder: string) {
  if (source === "generated")
    return { options: ["--certificate-secret", name, "--tls-name", "127.0.0.1"] };
  const { certificate, key, authority } = await issueOneShot(["127.0.0.1"], Date.now(), 3_600_000);
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key);
  return {
    caBundle: Buffer.from(authority).toString("base64"),
    options: ["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--seal-secret", name],
  };
}

async function objects(
  api: KubernetesApi,
  name: string,
  port: number,
  caBundle: string | undefined,
): Promise<void> {
  const metadata = { name };
  await api.core.createNamespacedSecret({ namespace: name, body: { metadata } });
  await api.coordination.createNamespacedLease({ namespace: name, body: { metadata } });
  await api.core.createNamespacedConfigMap({
    namespace: name,
    body: { metadata: { name: REPLICAS_CONFIG_MAP } },
  });
  const entry = (short: string, path: string, resource: string, group = "") => ({
    name: `all.${short}.sallyport.dev`,
    clientConfig: { url: `https://127.0.0.1:${port}${path}`, ...(caBundle && { caBundle }) },
    rules: [
      { apiGroups: [group], apiVersions: ["v1"], operations: ["CREATE"], resources: [resource] },
    ],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `${name}-pods` } },
    failurePolicy: "Ignore",
    sideEffects: "NoneOnDryRun",
    admissionReviewVersions: ["v1"],
    timeoutSeconds: 10,
  });
  await api.admission.createMutatingWebhookConfiguration({
    body: {
      metadata,
      webhooks: [
        { ...entry("pods", "/mutate/pods/all", "pods"), reinvocationPolicy: "IfNeeded" },
        entry("workloads", "/mutate/workloads/all", "deployments", "apps"),
      ],
    },
  });
  await api.admission.createValidatingWebhookConfiguration({
    body: { metadata, webhooks: [entry("final-pods", "/validate/pods/all", "pods")] },
  });
}

async function serviceAccount(api: KubernetesApi, kubeconfig: string, name: string): Promise<void> {
  const { KubeConfig, RbacAuthorizationV1Api } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const rules = controllerRules(name);
  const metadata = { name };
  const subjects = [{ kind: "ServiceAccount", name, namespace: name }];
  const roleRef = (kind: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
  await api.core.createNamespacedServiceAccount({ namespace: name, body: { metadata } });
  await rbac.createNamespacedRole({
    namespace: name,
    body: { metadata, rules: rules.namespaced },
  });
  await rbac.createNamespacedRoleBinding({
    namespace: name,
    body: { metadata, subjects, roleRef: roleRef("Role") },
  });
  await rbac.createClusterRole({ body: { metadata, rules: rules.cluster } });
  await rbac.createClusterRoleBinding({
    body: { metadata, subjects, roleRef: roleRef("ClusterRole") },
  });
}

function tokenKubeconfig(server: string, ca: string, token: string) {
  const authority = { "certificate-authority-data": Buffer.from(ca).toString("base64") };
  return {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
    clusters: [{ name: "it", cluster: { server, ...authority } }],
    users: [{ name: "it", user: { token } }],
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
  };
}
