/**
 * Every verdict names its reason: a code for machines, a sentence for people. The set is closed, and this is the only
 * place that lists it; the access log, `/stats` and the documentation all read it here.
 */
export const REASONS = {
  "allowed.rule": "a rule of the namespace permits it, and every boundary over it does",
  "allowed.baseline": "a boundary permits it without a rule",
  "allowed.cluster": "it goes to the cluster itself: a pod, a Service, the API server, a resolver",
  "allowed.audit": "it would be refused; audit mode records that and lets it pass",
  "denied.no_rule": "no rule permits it",
  "denied.boundary": "a boundary denies it, and no rule can change that",
  "denied.ceiling": "a rule permits it, but a boundary over the namespace does not",
  "denied.name_missing": "a name decides here, and the app gave none",
  "denied.name_invalid":
    "a name decides here, and what the app gave can match no host: an address, or no DNS name",
  "denied.protocol": "the app speaks another protocol than the rule says",
  "denied.private_address":
    "the name leads to a private, loopback, link-local, cluster or metadata address that its rule does not give",
  "denied.stale_address":
    "the address is not, or no longer, among our own answers for the name that decides",
  "denied.malformed":
    "a name or protocol decides here, and what the app said is not whole, or not well-formed",
  "denied.too_large": "a request's head is longer, or has more fields, than the sidecar takes",
  "denied.loop": "the connection was made to the sidecar itself, or comes from it",
  "denied.limit": "the sidecar is at its limit of open connections",
  "failed.dns": "the name has no address, or its resolvers do not answer",
  "failed.connect_refused": "the destination answered that nothing listens on that port",
  "failed.connect_timeout": "the destination did not answer within the connect timeout",
  "failed.unreachable": "there is no route to the destination",
  "failed.reset": "the destination reset the connection while it was being opened",
  "failed.tls_verify":
    "the destination's certificate does not stand up: for the name, by its issuer, or by its dates",
  "failed.tls": "the TLS handshake with the destination failed",
  "failed.response":
    "what the destination answered is no well-formed HTTP response, or ended too soon",
  "failed.response_timeout": "the destination did not answer the request in time",
  "failed.internal":
    "the sidecar could not learn the destination, could not open a socket of its own, or made a mistake; the record has the error",
  revoked: "it was permitted when it was opened; a newer policy refuses it",
} as const;

export type Reason = keyof typeof REASONS;
export type AllowReason = Extract<Reason, `allowed.${string}`>;
export type DenyReason = Extract<Reason, `denied.${string}`>;
export type FailReason = Extract<Reason, `failed.${string}`>;
