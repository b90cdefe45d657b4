/**
 * What `sallyport check` can find: a code for machines, and whether somebody has to do something (`action`) or only
 * know it (`note`). docs/reference/check.md lists them, and a test compares.
 */
export const FINDINGS = {
  kubernetes_too_old: "action",
  kubernetes_untried: "note",
  versions_differ: "note",

  not_installed: "action",
  controller_missing: "action",
  controller_unavailable: "action",
  controller_degraded: "action",
  service_missing: "action",
  service_without_endpoints: "action",
  configuration_unusable: "action",
  lease_missing: "action",
  nobody_leads: "action",

  webhook_missing: "action",
  webhook_lets_pass: "action",
  workload_webhook_refuses: "action",
  selector_changed: "action",
  ca_missing: "action",
  ca_expired: "action",
  ca_not_of_certificate: "action",
  certificate_missing: "action",
  certificate_expired: "action",
  certificate_overdue: "action",
  certificate_ageing: "note",
  certificate_name: "action",

  webhook_not_answering: "action",
  trial_not_injected: "action",
  trial_refused: "note",
  trial_impossible: "note",

  crd_missing: "action",
  crd_not_established: "action",
  policy_port_silent: "action",
  cluster_not_as_told: "note",

  controller_not_permitted: "action",
  cannot_tell: "action",
  not_permitted: "note",

  label_unknown: "action",
  namespace_excluded: "action",
  namespace_not_labelled: "note",
  pod_security_refuses: "action",

  sidecar_missing: "action",
  sidecar_stale: "action",
  sidecar_broken: "action",
  annotation_not_carried: "action",

  rule_unusable: "action",
  rule_refused: "action",
  rule_would_be_refused: "note",
  rule_without_pods: "note",
  rule_not_applied: "action",
  boundary_without_effect: "note",
  required_not_labelled: "action",
  sidecar_without_policy: "action",
  sidecar_policy_stale: "action",
  sidecar_disconnected: "action",
  sidecar_not_asked: "note",
  bypass_not_permitted: "action",
  bypass_in_use: "note",
} as const;
export type Code = keyof typeof FINDINGS;

export interface Finding {
  readonly code: Code;
  /** What it is about, as kubectl names it: `namespace/shop`, `shop/deployment/web`, `webhook/all.pods.sallyport.dev`. */
  readonly subject: string;
  /** One sentence, without its end. */
  readonly message: string;
  /** What to do; a command where there is one. */
  readonly remedy: string;
}

export function needsAction(findings: readonly Finding[]): boolean {
  return findings.some(({ code }) => FINDINGS[code] === "action");
}
