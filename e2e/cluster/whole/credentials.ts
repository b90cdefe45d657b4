import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { kubeconfig } from "../kubeconfig.ts";
import {
  ClusterAuthority,
  type KeyAndCertificate,
  type Subject,
  serviceAccountKeys,
} from "../pki.ts";
import { writeSecretFiles } from "../secret-files.ts";
import { FILES } from "./configs.ts";
import { apiUrl, type Families, nodeAddresses, PLAN } from "./plan.ts";

/** Who speaks to the API server, by the names that its own roles are bound to. */
const USERS = {
  admin: { commonName: "admin", organization: "system:masters" },
  "controller-manager": { commonName: "system:kube-controller-manager" },
  scheduler: { commonName: "system:kube-scheduler" },
  kubelet: { commonName: `system:node:${PLAN.node}`, organization: "system:nodes" },
  "kube-proxy": { commonName: "system:kube-proxy" },
} as const satisfies Record<string, Subject>;

export type User = keyof typeof USERS;

export const kubeconfigOf = (user: User): string => join(FILES.pki, `${user}.kubeconfig`);

/** Every key of the cluster, into FILES.pki; gives what one needs to speak to it as its administrator. */
export async function writeCredentials(
  families: Families,
): Promise<KeyAndCertificate & { readonly ca: string }> {
  const authority = await ClusterAuthority.create(`${PLAN.name}-ca`);
  const addresses = nodeAddresses(families);
  const [accounts, apiserver, kubelet, toKubelet, ...issued] = await Promise.all([
    serviceAccountKeys(),
    authority.issue({ commonName: "kube-apiserver" }, [
      ...["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "127.0.0.1"],
      ...[`kubernetes.default.svc.${PLAN.domain}`, PLAN.kubernetes, ...addresses],
    ]),
    authority.issue(USERS.kubelet, [PLAN.node, ...addresses]),
    authority.issue({
      commonName: "kube-apiserver-kubelet-client",
      organization: "system:masters",
    }),
    ...Object.values(USERS).map((subject) => authority.issue(subject)),
  ]);
  const ca = authority.certificate;
  const users = Object.keys(USERS) as User[];
  const configs = users.map((user, i) => [
    `${user}.kubeconfig`,
    kubeconfig({ name: PLAN.name, url: apiUrl, ca }, issued[i] as KeyAndCertificate),
  ]);
  await writeSecretFiles(FILES.pki, {
    "ca.crt": ca,
    "sa.pub": accounts.publicKey,
    "sa.key": accounts.privateKey,
    ...pair("apiserver", apiserver),
    ...pair("kubelet", kubelet),
    ...pair("apiserver-kubelet-client", toKubelet),
    ...Object.fromEntries(configs),
  });
  await copyFile(kubeconfigOf("admin"), FILES.kubeconfig);
  return { ...(issued[users.indexOf("admin")] as KeyAndCertificate), ca };
}

const pair = (name: string, { key, certificate }: KeyAndCertificate) => ({
  [`${name}.crt`]: certificate,
  [`${name}.key`]: key,
});
