import { type Demands, demandsOf } from "@sallyport/controller/admission/demands";
import type { EgressBoundary } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";

/** What the boundaries over a namespace of these labels demand of its pods, as the webhooks have it. */
export function demandsOver(boundaries: readonly EgressBoundary[], labels: Labels): Demands {
  return demandsOf(
    boundaries
      .filter(({ spec }) => selects(spec.namespaceSelector, labels))
      .map((object) => ({ name: object.metadata.name, object })),
  );
}
