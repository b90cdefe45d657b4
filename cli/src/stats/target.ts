import type { JsonObject } from "@sallyport/controller/admission/admission";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { BadInput } from "../policy/io.ts";

/** The kinds that choose their pods by a selector, and kubectl's names for them. */
const KINDS = [
  {
    names: ["deployment", "deployments", "deploy"],
    path: "/apis/apps/v1",
    resource: "deployments",
  },
  {
    names: ["statefulset", "statefulsets", "sts"],
    path: "/apis/apps/v1",
    resource: "statefulsets",
  },
  { names: ["daemonset", "daemonsets", "ds"], path: "/apis/apps/v1", resource: "daemonsets" },
  { names: ["replicaset", "replicasets", "rs"], path: "/apis/apps/v1", resource: "replicasets" },
  { names: ["job", "jobs"], path: "/apis/batch/v1", resource: "jobs" },
] as const;
const POD = ["pod", "pods", "po"];

/** Whose sidecar is asked. Without a kind it is the pod of that name, or else the deployment. */
export interface Target {
  readonly kind: "pod" | "any" | (typeof KINDS)[number];
  readonly name: string;
}

export const DEPLOYMENT = KINDS[0];

export function parseTarget(words: readonly string[]): Target {
  const [first, second, ...more] = words;
  if (first === undefined)
    throw new BadInput(["whose? a pod, or deployment/NAME; kubectl get pods lists them"]);
  if (more.length > 0 || (second !== undefined && first.includes("/")))
    throw new BadInput([`one at a time: what is ${words.slice(1).join(" ")}?`]);
  const slash = first.indexOf("/");
  const [kind, name] =
    second !== undefined
      ? [first, second]
      : slash < 0
        ? [undefined, first]
        : [first.slice(0, slash), first.slice(slash + 1)];
  if (name === "" || name.includes("/")) throw new BadInput([`${first}: expected KIND/NAME`]);
  if (kind === undefined) return { kind: "any", name };
  if (POD.includes(kind.toLowerCase())) return { kind: "pod", name };
  const known = KINDS.find(({ names }) =>
    (names as readonly string[]).includes(kind.toLowerCase()),
  );
  if (!known)
    throw new BadInput([`${kind}: expected pod, ${KINDS.map(({ names }) => names[0]).join(", ")}`]);
  return { kind: known, name };
}

/** A LabelSelector as the API takes it in a query. */
export function formatSelector(selector: JsonObject): string {
  const { matchLabels, matchExpressions } = selector;
  return [
    ...Object.entries(asObject(matchLabels)).map(([key, value]) => `${key}=${value}`),
    ...objects(matchExpressions).map(({ key, operator, values }) => {
      const list = ((values ?? []) as readonly string[]).join(",");
      switch (operator) {
        case "In":
          return `${key} in (${list})`;
        case "NotIn":
          return `${key} notin (${list})`;
        case "DoesNotExist":
          return `!${key}`;
        default:
          return String(key);
      }
    }),
  ].join(",");
}
