import { stringify } from "yaml";
import { definitions } from "./definitions.ts";

const FROM =
  "Generated from core/src/rules.ts and core/src/status.ts; npm run generate writes it anew.";

const HEADER = `# The kinds in which egress policy is written: kubectl apply -f crds.yaml
#
# ${FROM}
# To delete a kind is to delete every object of it.
`;

const TEMPLATE_HEADER = `{{- /*
${FROM}
Here and not in crds/, so that an upgrade brings what is new; kept when the release goes, for with a kind every object of
it goes.
*/ -}}
{{- if .Values.crds.install }}
`;

/** manifests/crds.yaml. */
export function crdManifest(): string {
  return [HEADER, ...texts()].join("---\n");
}

/** charts/sallyport/templates/crds.yaml. */
export function crdTemplate(): string {
  const labelled = texts().map((text) =>
    text.replace(
      /^metadata:\n {2}name: .+\n/m,
      `$&  labels: {{- include "sallyport.labels" . | nindent 4 }}\n`,
    ),
  );
  return `${TEMPLATE_HEADER}${labelled.join("---\n")}{{- end }}\n`;
}

function texts(): string[] {
  return definitions().map((definition) => stringify(definition, { lineWidth: 120 }));
}
