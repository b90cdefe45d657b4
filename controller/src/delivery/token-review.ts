import { DELIVERY_AUDIENCE } from "@sallyport/core/delivery";
import type { PodRef } from "../rules/snapshots.ts";

/** A TokenReview's status, as far as it is read (authentication.k8s.io/v1). */
export interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly audiences?: readonly string[];
  readonly user?: {
    readonly username?: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

export type Reviewed =
  /** `lifeMs` is the whole life of the token, and so no clock of another machine is needed. */
  | { readonly kind: "pod"; readonly pod: PodRef; readonly lifeMs: number }
  | { readonly kind: "refused"; readonly status: 401 | 403; readonly why: string };

/** Bound tokens live an hour as a rule; what says nothing of its life is trusted no longer than that. */
const ASSUMED_LIFE_MS = 3_600_000;
const USERNAME = /^system:serviceaccount:([^:]+):[^:]+$/;
/** kubernetes/kubernetes, pkg/serviceaccount/util.go: a pod-bound token's user carries these. */
const POD = {
  name: "authentication.kubernetes.io/pod-name",
  uid: "authentication.kubernetes.io/pod-uid",
} as const;

/** Whose token it is, by the API server's word. */
export function readReview(status: ReviewStatus | undefined, token: string): Reviewed {
  if (status?.authenticated !== true)
    return refused(401, `the API server does not accept this token: ${said(status?.error)}`);
  // One that knows nothing of audiences says none, and its yes would be about another door.
  if (!status.audiences?.includes(DELIVERY_AUDIENCE))
    return refused(401, `this token is not for the audience ${DELIVERY_AUDIENCE}`);
  const [, namespace] = USERNAME.exec(status.user?.username ?? "") ?? [];
  const name = status.user?.extra?.[POD.name]?.[0];
  const uid = status.user?.extra?.[POD.uid]?.[0];
  if (!namespace || !name || !uid)
    return refused(
      403,
      "this token is bound to no pod: expected the one of the projected volume that the injector adds",
    );
  return { kind: "pod", pod: { namespace, name, uid }, lifeMs: lifeOf(token) };
}

function refused(status: 401 | 403, why: string): Reviewed {
  return { kind: "refused", status, why };
}

const said = (error: string | undefined) =>
  (error ?? "it says no more").replaceAll(/[^\x20-\x7e]/g, " ").slice(0, 512);

/** Of a token that the API server has accepted: its claims are true. */
function lifeOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const lifeMs = (claims.exp - claims.iat) * 1_000;
    return lifeMs > 0 ? lifeMs : ASSUMED_LIFE_MS;
  } catch {
    return ASSUMED_LIFE_MS;
  }
}
