import type { Unknown } from "../kubernetes/read.ts";
import type { InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";

/** What is not known where something may not be read. Without the first ones nobody can tell whether all is well. */
const UNREADABLE = [
  ["deployment", "cannot_tell", "whether the controller runs"],
  ["service", "cannot_tell", "whether the webhooks' Service is there"],
  ["endpointSlices", "cannot_tell", "whether that Service has endpoints"],
  ["mutating", "cannot_tell", "whether pods are given a sidecar"],
  ["validating", "cannot_tell", "whether pods are judged as they finally are"],
  ["kubernetes", "not_permitted", "which version of Kubernetes it is"],
  ["configMap", "not_permitted", "what is injected now: sidecars are compared by version alone"],
  ["lease", "not_permitted", "whether one of the controllers leads"],
  [
    "secret",
    "not_permitted",
    "how long the serving certificate lives: only a trial shows that it is trusted",
  ],
] as const;

export const TRY_AGAIN =
  "try again; if it stays, see how the API server is: kubectl get --raw='/readyz?verbose'";

/** Whose fault it is that something is not known, and what the API server said. */
export function unread(what: string, { unknown, forbidden }: Unknown): string {
  return `${forbidden ? "you may not" : "the API server failed when asked to"} ${what}: ${unknown}`;
}

/** All that may not be read is one finding, and all that the API server failed to tell is another. */
export function judgeUnreadable(facts: InstallFacts): Finding[] {
  const subject = `namespace/${facts.namespace}`;
  const all = UNREADABLE.flatMap(([key, kind, what]) => {
    const read = facts[key];
    return read && "unknown" in read ? [{ key, kind, what, ...read }] : [];
  });
  const notKnown = (some: typeof all) => `not known is ${some.map(({ what }) => what).join("; ")}`;
  const hidden = (["cannot_tell", "not_permitted"] as const).flatMap((code): Finding[] => {
    const some = all.filter(({ kind, forbidden }) => forbidden && kind === code);
    if (some.length === 0) return [];
    const resources = some.map(({ key }) => RESOURCES[key]).join(", ");
    return [
      {
        ...{ code, subject, message: notKnown(some) },
        remedy: `ask for get and list there, or have somebody check who may: ${resources}`,
      },
    ];
  });
  const failed = all.filter(({ forbidden }) => !forbidden);
  if (failed.length === 0) return hidden;
  const said = new Set(failed.map(({ unknown }) => unknown));
  return [
    ...hidden,
    {
      ...{ code: "cannot_tell", subject, remedy: TRY_AGAIN },
      message: `${notKnown(failed)}: the API server failed: ${[...said].join("; ")}`,
    },
  ];
}

const RESOURCES: { readonly [key in (typeof UNREADABLE)[number][0]]: string } = {
  deployment: "deployments",
  service: "services",
  endpointSlices: "endpointslices",
  mutating: "mutatingwebhookconfigurations",
  validating: "validatingwebhookconfigurations",
  kubernetes: "/version",
  configMap: "configmaps",
  lease: "leases.coordination.k8s.io",
  secret: "secrets",
};
