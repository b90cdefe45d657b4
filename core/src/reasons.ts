/**
 * Every verdict names its reason: a code for machines, a sentence for people. The set is closed, and this is the only
 * place that lists it; the access log, `/stats` and the documentation all read it here.
 */
export const REASONS = {
  "allowed.rule": "an entry of the policy's allow list covers the destination",
  "allowed.audit": "no entry covers the destination; audit mode records that and lets it pass",
  "denied.no_rule": "no entry of the policy's allow list covers the destination",
  "denied.loop": "the connection was made to the sidecar itself, or comes from it",
  "denied.limit": "the sidecar is at its limit of open connections",
  "failed.connect_refused": "the destination answered that nothing listens on that port",
  "failed.connect_timeout": "the destination did not answer within the connect timeout",
  "failed.unreachable": "there is no route to the destination",
  "failed.reset": "the destination reset the connection while it was being opened",
  "failed.internal":
    "the sidecar could not learn the destination, or could not open a socket of its own; the record has the error",
} as const;

export type Reason = keyof typeof REASONS;
export type AllowReason = Extract<Reason, `allowed.${string}`>;
export type DenyReason = Extract<Reason, `denied.${string}`>;
export type FailReason = Extract<Reason, `failed.${string}`>;
