import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { CRDS, type InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** Whether the API server knows rules and boundaries. */
export function judgeCrds({ crds, namespace }: InstallFacts): Finding[] {
  return CRDS.flatMap((name, i): Finding[] => {
    const read = crds[i];
    const subject = `customresourcedefinition/${name}`;
    if (!read) return [];
    if ("unknown" in read)
      return [
        {
          ...{ code: read.forbidden ? "not_permitted" : "cannot_tell", subject },
          message: unread("look at it", read),
          remedy: read.forbidden ? `as somebody who may: kubectl get crd ${name}` : TRY_AGAIN,
        },
      ];
    if ("absent" in read)
      return [
        {
          ...{ code: "crd_missing", subject },
          message:
            "the API server does not know this kind: no rule can be written, and no sidecar is given any",
          remedy: `kubectl apply --server-side -f manifests/crds.yaml; or helm upgrade sallyport charts/sallyport -n ${namespace} --reuse-values --set crds.install=true`,
        },
      ];
    const conditions = objects(asObject(read.value.status).conditions);
    const established = conditions.find(({ type }) => type === "Established");
    if (established?.status === "True") return [];
    const why = conditions.find(({ status, message }) => status === "False" && message)?.message;
    return [
      {
        ...{ code: "crd_not_established", subject },
        message: `the API server does not serve this kind${why === undefined ? "" : `: ${why}`}`,
        remedy: `kubectl describe crd ${name}`,
      },
    ];
  });
}
