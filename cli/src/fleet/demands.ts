import { type Demands, demandsOf } from "@sallyport/controller/admission/demands";
import type { EgressBoundary } from "@sallyport/core/rules";
import type { Labels } from "@sallyport/core/selector";
import { boundariesOver } from "./differences.ts";

/** What the boundaries over a namespace of these labels demand of its pods, as the webhooks have it. */
export function demandsOver(boundaries: readonly EgressBoundary[], labels: Labels): Demands {
  return demandsOf(
    boundariesOver(boundaries, labels).map((object) => ({ name: object.metadata.name, object })),
  );
}
