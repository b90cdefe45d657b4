import { after, before } from "node:test";
import { ApiException, CustomObjectsApi } from "@kubernetes/client-node";
import { clientOf } from "../../cluster/namespaces.ts";
import { givenCluster, lacking } from "./given.ts";
import { apply, kubectl, type Manifest, read } from "./kubectl.ts";

const API = { group: "sallyport.dev", version: "v1alpha1" } as const;
const apiVersion = `${API.group}/${API.version}`;

/** An entry of a rule or a boundary. */
export interface Entry {
  readonly hosts?: readonly string[];
  readonly cidrs?: readonly string[];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

export const httpTo = (...hosts: readonly string[]): Entry => ({
  hosts,
  ports: [{ port: 80, protocol: "http" }],
});

export const ruleOf = (name: string, ...to: readonly Entry[]): Manifest => ({
  ...{ apiVersion, kind: "EgressRule", metadata: { name } },
  spec: { to },
});

/** Over one namespace alone. */
export const boundaryOver = (namespace: string, more: object = {}): Manifest => ({
  ...{ apiVersion, kind: "EgressBoundary", metadata: { name: `over-${namespace}` } },
  spec: {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    mode: "enforce",
    ...more,
  },
});

/** What no rule permits is refused there, for the tests of this file. */
export function enforcedIn(namespace: string): string {
  const boundary = boundaryOver(namespace);
  before(async () => {
    if (!lacking) await apply("default", boundary);
  });
  after(async () => {
    if (!lacking)
      await kubectl("delete", "egressboundary", boundary.metadata.name, "--ignore-not-found");
  });
  return namespace;
}

let client: CustomObjectsApi | undefined;

/** Writing rules without a kubectl each time: what is measured or hurried. */
function rules(namespace: string) {
  client ??= clientOf(givenCluster().kubeconfig).makeApiClient(CustomObjectsApi);
  return { client, where: { ...API, plural: "egressrules", namespace } };
}

export async function createRule(namespace: string, rule: Manifest): Promise<void> {
  const { client, where } = rules(namespace);
  await client.createNamespacedCustomObject({ ...where, body: rule });
}

/** Whether or not it is there. */
export async function deleteRule(namespace: string, name: string): Promise<void> {
  const { client, where } = rules(namespace);
  await client.deleteNamespacedCustomObject({ ...where, name }).catch((error) => {
    if (!(error instanceof ApiException && error.code === 404)) throw error;
  });
}

interface WithStatus {
  readonly status?: {
    readonly matchedPods?: number;
    readonly appliedPods?: number;
    readonly refused?: number;
    readonly conditions?: readonly {
      type: string;
      status: string;
      reason: string;
      message: string;
    }[];
  };
}

export async function statusOfRule(namespace: string, name: string) {
  return (await read<WithStatus>(namespace, "egressrule", name)).status ?? {};
}

/** `True Applied: …`; undefined while nobody has said anything. */
export async function condition(
  namespace: string,
  kind: "egressrule" | "egressboundary",
  name: string,
  type: "Accepted" | "Ready",
): Promise<string | undefined> {
  const { status } = await read<WithStatus>(namespace, kind, name);
  const found = status?.conditions?.find((each) => each.type === type);
  return found && `${found.status} ${found.reason}: ${found.message}`;
}
