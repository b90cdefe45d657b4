import type { InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";

/** What is not known where something may not be read. Without the first ones nobody can tell whether all is well. */
const UNREADABLE = [
  ["deployment", "cannot_tell", "whether the controller runs"],
  ["service", "cannot_tell", "whether the webhooks' Service is there"],
  ["endpointSlices", "cannot_tell", "whether that Service has endpoints"],
  ["mutating", "cannot_tell", "whether pods are given a sidecar"],
  ["validating", "cannot_tell", "whether pods are judged as they finally are"],
  ["configMap", "not_permitted", "what is injected now: sidecars are compared by version alone"],
  [
    "secret",
    "not_permitted",
    "how long the serving certificate lives: only a trial shows that it is trusted",
  ],
] as const;

/** All that is not known for one reason is one finding. */
export function judgeUnreadable(facts: InstallFacts): Finding[] {
  return (["cannot_tell", "not_permitted"] as const).flatMap((code): Finding[] => {
    const unread = UNREADABLE.flatMap(([key, kind, what]) => {
      const read = facts[key];
      return kind === code && "unknown" in read ? [{ key, what, ...read }] : [];
    });
    if (unread.length === 0) return [];
    const failures = unread.filter(({ forbidden }) => !forbidden);
    return [
      {
        ...{ code, subject: `namespace/${facts.namespace}` },
        message: `not known is ${unread.map(({ what }) => what).join("; ")}${failures.map(({ unknown }) => ` (${unknown})`).join("")}`,
        remedy:
          failures.length > 0
            ? "try again"
            : `ask for get and list there, or have somebody check who may: ${unread.map(({ key }) => RESOURCES[key]).join(", ")}`,
      },
    ];
  });
}

const RESOURCES: { readonly [key in (typeof UNREADABLE)[number][0]]: string } = {
  deployment: "deployments",
  service: "services",
  endpointSlices: "endpointslices",
  mutating: "mutatingwebhookconfigurations",
  validating: "validatingwebhookconfigurations",
  configMap: "configmaps",
  secret: "secrets",
};
