import { DELIVERY_AUDIENCE } from "@sallyport/core/delivery";
import type { ProxyConfigInput } from "@sallyport/proxy/contract";
import type { JsonObject } from "./admission.ts";
import { STATE_VOLUME, TOKEN_VOLUME } from "./names.ts";
import type { InjectionOptions } from "./options.ts";

/** Where a sidecar is given its policy, and whom alone it is to trust there (PEM). */
export interface PolicyControl {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
}

const TOKEN_FOLDER = "/var/run/sallyport/token";
const TOKEN_FILE = "token";
const STATE_FOLDER = "/var/lib/sallyport";

/** The kubelet renews it when four fifths of that have gone by. */
const TOKEN_SECONDS = 3_600;
/** The last snapshot and the next one beside it, each of a line (DELIVERY_LIMITS) at most: beyond the limit the kubelet evicts the pod. */
const STATE_SIZE = "128Mi";

/** What the sidecar is told. */
export function controlConfig({ host, port, ca }: PolicyControl): ProxyConfigInput["control"] {
  return { host, port, ca, tokenFile: `${TOKEN_FOLDER}/${TOKEN_FILE}`, stateDir: STATE_FOLDER };
}

/** Its policy comes by the stream: what is said here is whom to ask for the controllers' name, and the mode for people who look. */
export function policyWithControl({
  policy,
  resolvers,
}: InjectionOptions): ProxyConfigInput["policy"] {
  return {
    mode: policy.mode,
    resolvers: policy.resolvers.length > 0 ? policy.resolvers : resolvers,
  };
}

/**
 * The token is for this audience alone and bound to the pod; a pod that mounts no other (automountServiceAccountToken) has
 * this one all the same. It is readable by the sidecar's user whatever the pod says: the kubelet writes it 0644, with an
 * fsGroup 0600 and then for that group, which every container is in; and for one user alone only where all containers run as
 * the same (pkg/volume/projected/projected.go, collectData; pkg/volume/volume_linux.go, SetVolumeOwnership), which ours never
 * do. Defaults are said because the API server would add them.
 */
export const CONTROL_VOLUMES: readonly JsonObject[] = [
  {
    name: TOKEN_VOLUME,
    projected: {
      sources: [
        {
          serviceAccountToken: {
            audience: DELIVERY_AUDIENCE,
            expirationSeconds: TOKEN_SECONDS,
            path: TOKEN_FILE,
          },
        },
      ],
      defaultMode: 0o644,
    },
  },
  { name: STATE_VOLUME, emptyDir: { sizeLimit: STATE_SIZE } },
];

export const CONTROL_MOUNTS: readonly JsonObject[] = [
  { name: TOKEN_VOLUME, mountPath: TOKEN_FOLDER, readOnly: true },
  { name: STATE_VOLUME, mountPath: STATE_FOLDER },
];

/**
 * What a configuration says of policy that nobody would read where the policy comes from the cluster: the paths of it, each
 * with what to do.
 */
export function unreadPolicy({ policy }: InjectionOptions): string[] {
  const written: Readonly<Record<string, boolean>> = {
    rules: policy.rules.length > 0,
    boundaries: policy.boundaries.length > 0,
  };
  return Object.entries(written)
    .filter(([, isWritten]) => isWritten)
    .map(
      ([key]) =>
        `policy.${key}: on a cluster policy is what its objects say; apply them there (kubectl apply), and take them out of here`,
    );
}
