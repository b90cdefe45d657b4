import type { Cluster } from "@sallyport/core/snapshot";
import * as z from "zod";

/** A Service that stands for a name outside, as a manifest has it; all else in it is let be. */
export const ExternalNameService = z.looseObject({
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().min(1).optional() }),
  spec: z.looseObject({ type: z.literal("ExternalName"), externalName: z.string().min(1) }),
});
export type ExternalNameService = z.output<typeof ExternalNameService>;

/** Without a namespace it is the pod's, as for kubectl it is the current one. */
export function aliasOf(
  { metadata, spec }: ExternalNameService,
  namespace: string,
): Cluster["externalNames"][number] {
  return {
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
    externalName: spec.externalName,
  };
}
