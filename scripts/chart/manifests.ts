import { NAMESPACE, template } from "./helm.ts";

const HEADER = `# Sallyport without Helm: kubectl apply -f crds.yaml -f install.yaml
#
# Generated from charts/sallyport with its default values; npm run generate writes it anew. To set something, use the chart.
# kubectl deletes in the order of the file: first what asks the controllers, then the controllers.
`;

const NAMESPACE_OBJECT = `apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** Those that would refuse pods while nobody answers, the one before which pods without a sidecar fail first. */
const FIRST = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];

/** manifests/install.yaml. The kinds are in a file of their own: to delete what was installed is not to delete the rules. */
export function installManifest(): string {
  const documents = template({ crds: { install: false } }, "--no-hooks")
    .split(/^---\n/m)
    .map((text) =>
      text
        .replace(/^# Source: .*\n/m, "")
        .replace(BY_HELM, "")
        .trim(),
    )
    .filter((text) => text !== "")
    .map((text) => `${text}\n`);
  const rank = (text: string) => {
    const place = FIRST.indexOf(/^kind: (\w+)$/m.exec(text)?.[1] ?? "");
    return place === -1 ? FIRST.length : place;
  };
  const first = documents.filter((text) => rank(text) < FIRST.length);
  const others = documents.filter((text) => rank(text) === FIRST.length);
  return [HEADER, ...first.toSorted((a, b) => rank(a) - rank(b)), NAMESPACE_OBJECT, ...others].join(
    "---\n",
  );
}

/** Labels that say so to Helm and to people, and would be wrong here. */
const BY_HELM = /^ +(?:helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;
