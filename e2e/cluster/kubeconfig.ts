import type { KeyAndCertificate } from "./pki.ts";

/** How to reach a cluster and as whom. A kubeconfig is YAML, and JSON is YAML. */
export function kubeconfig(
  cluster: { readonly name: string; readonly url: string; readonly ca: string },
  user: KeyAndCertificate,
): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const { name } = cluster;
  const text = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [
      {
        name,
        cluster: { server: cluster.url, "certificate-authority-data": base64(cluster.ca) },
      },
    ],
    users: [
      {
        name,
        user: {
          "client-certificate-data": base64(user.certificate),
          "client-key-data": base64(user.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}
