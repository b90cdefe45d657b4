import { asObject } from "@sallyport/controller/admission/workload-template";
import { unknownOf } from "../kubernetes/read.ts";
import { ApiRefusal, type Rest } from "../kubernetes/rest.ts";
import { NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import type { ControllerState } from "./judge-controller.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** Something that the controller does, as RBAC names it. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** What the controller's own flags make it do; a test compares with the chart's roles. */
const NEEDED: readonly (readonly [flag: string, (install: string) => Permission[]])[] = [
  ["--certificate-secret", shareASecret],
  ["--seal-secret", shareASecret],
  [
    "--lease",
    (namespace) =>
      verbs(["get", "update"], {
        ...{ group: "coordination.k8s.io", resource: "leases", name: NAMES.lease, namespace },
      }),
  ],
  [
    "--lease",
    () => [
      ...["namespaces", "pods"].flatMap((resource) => watched("", resource)),
      ...verbs(["get"], { group: "apps", resource: "replicasets" }),
      ...verbs(["get"], { group: "batch", resource: "jobs" }),
      ...["", "events.k8s.io"].flatMap((group) =>
        verbs(["create", "patch"], { group, resource: "events" }),
      ),
    ],
  ],
  [
    "--policy-port",
    (namespace) => [
      ...["egressrules", "egressboundaries"].flatMap((kind) => [
        ...watched("sallyport.dev", kind),
        ...verbs(["patch"], { group: "sallyport.dev", resource: `${kind}/status` }),
      ]),
      ...["services", "nodes"].flatMap((resource) => watched("", resource)),
      ...watched("discovery.k8s.io", "endpointslices"),
      ...watched("networking.k8s.io", "servicecidrs"),
      ...verbs(["create"], { group: "authentication.k8s.io", resource: "tokenreviews" }),
      ...verbs(["patch"], { group: "", resource: "configmaps", name: NAMES.replicas, namespace }),
    ],
  ],
  [
    "--webhooks",
    () =>
      ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].flatMap((resource) =>
        verbs(["get", "patch", "watch"], {
          ...{ group: "admissionregistration.k8s.io", resource, name: NAMES.webhooks },
        }),
      ),
  ],
];

function watched(group: string, resource: string): Permission[] {
  return verbs(["list", "watch"], { group, resource });
}

function verbs(which: readonly string[], what: Omit<Permission, "verb">): Permission[] {
  return which.map((verb) => ({ verb, ...what }));
}

export function permissionsFor(args: readonly string[], install: string): Permission[] {
  const has = (flag: string) => args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return NEEDED.filter(([flag]) => has(flag)).flatMap(([, permissions]) => permissions(install));
}

export interface Permissions {
  readonly findings: readonly Finding[];
  /** How many the controller has; undefined where nobody says. */
  readonly granted: number | undefined;
}

/** Asks of each whether the controller's ServiceAccount has it. */
export async function checkPermissions(
  rest: Rest,
  install: string,
  { args, serviceAccount, controller }: ControllerState,
): Promise<Permissions> {
  if (!controller) return { granted: undefined, findings: [] };
  const user = `system:serviceaccount:${install}:${serviceAccount}`;
  const needed = permissionsFor(args, install);
  const subject = `${install}/serviceaccount/${serviceAccount}`;
  try {
    const granted = await Promise.all(needed.map((one) => isGranted(rest, user, one)));
    const lacking = needed.filter((_, i) => !granted[i]).map(spelt);
    return {
      granted: needed.length - lacking.length,
      findings: lacking.map((what) => ({
        ...({ code: "controller_not_permitted", subject } as const),
        message: `the controller may not ${what}`,
        remedy: `install again: helm upgrade --install sallyport charts/sallyport -n ${install}`,
      })),
    };
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    const why = unknownOf(error);
    return {
      granted: undefined,
      findings: [
        {
          ...{ code: why.forbidden ? "not_permitted" : "cannot_tell", subject },
          message: unread("ask what the controller may do (create subjectaccessreviews)", why),
          remedy: why.forbidden
            ? `as somebody who may: kubectl auth can-i --list --as=${user}`
            : TRY_AGAIN,
        },
      ],
    };
  }
}

async function isGranted(rest: Rest, user: string, permission: Permission): Promise<boolean> {
  const [resource, subresource] = permission.resource.split("/");
  const review = await rest.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user,
      groups: ["system:serviceaccounts", "system:authenticated"],
      resourceAttributes: { ...permission, resource, subresource },
    },
  });
  return asObject(review.status).allowed === true;
}

function spelt({ verb, group, resource, name, namespace }: Permission): string {
  const what = [resource, group].filter(Boolean).join(".");
  return `${verb} ${what}${name ? ` ${name}` : ""}${namespace ? ` in ${namespace}` : ""}`;
}

function shareASecret(namespace: string): Permission[] {
  return verbs(["get", "update"], {
    ...{ group: "", resource: "secrets", name: NAMES.secret, namespace },
  });
}
