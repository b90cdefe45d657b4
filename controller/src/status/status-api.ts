import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { PatchOperation } from "../admission/admission.ts";
import { attempt } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import type { Origin } from "../rules/snapshots.ts";
import { labelOf } from "./key.ts";

const GROUP = { group: "sallyport.dev", version: "v1alpha1" } as const;
const PLURALS = { EgressRule: "egressrules", EgressBoundary: "egressboundaries" } as const;

export type StatusTarget = Pick<Origin, "kind" | "namespace" | "name">;

/** The status subresource of rules and boundaries. Its methods throw ApiErrors. */
export interface StatusApi {
  /**
   * Server-side apply: these fields are `manager`'s from now on, and what it had applied before and is not among them goes.
   * 404 where there is no such object; whether it is another of that name by now cannot be asked of this subresource.
   */
  apply(target: StatusTarget, manager: string, status: object): Promise<void>;
  /** As it is now. */
  read(target: StatusTarget): Promise<StatusRead>;
  /** All of it or nothing: 409 where it is another version by now. */
  change(
    target: StatusTarget,
    version: string,
    manager: string,
    operations: readonly PatchOperation[],
  ): Promise<void>;
}

export interface StatusRead {
  readonly uid: string;
  readonly version: string;
  readonly status: unknown;
}

export function statusApi(api: KubernetesApi): StatusApi {
  const patch = (
    { kind, namespace, name }: StatusTarget,
    strategy: PatchStrategy,
    body: unknown,
    how: { readonly fieldManager?: string; readonly force?: boolean },
  ) => {
    const options = setHeaderOptions("Content-Type", strategy);
    const request = { ...GROUP, plural: PLURALS[kind], name, body, ...how };
    return attempt("patch", `the status of ${labelOf({ kind, ...spread(namespace), name })}`, () =>
      kind === "EgressRule"
        ? api.custom.patchNamespacedCustomObjectStatus(
            { ...request, namespace: namespace ?? "" },
            options,
          )
        : api.custom.patchClusterCustomObjectStatus(request, options),
    );
  };
  return {
    apply: async (target, fieldManager, status) => {
      const { kind, namespace, name } = target;
      const body = {
        ...{ apiVersion: `${GROUP.group}/${GROUP.version}`, kind },
        metadata: { name, ...spread(namespace) },
        status,
      };
      await patch(target, PatchStrategy.ServerSideApply, body, { fieldManager, force: true });
    },
    // An empty patch changes nothing, and its answer needs no permission to read.
    read: async (target) => {
      const { metadata, status } = await patch(target, PatchStrategy.MergePatch, {}, {});
      return { uid: metadata.uid, version: metadata.resourceVersion, status };
    },
    change: async (target, version, fieldManager, operations) => {
      const guard = { op: "add", path: "/metadata/resourceVersion", value: version };
      await patch(target, PatchStrategy.JsonPatch, [guard, ...operations], { fieldManager });
    },
  };
}

function spread(namespace: string | undefined) {
  return namespace === undefined ? {} : { namespace };
}
