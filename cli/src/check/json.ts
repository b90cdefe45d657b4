import { FINDINGS, needsAction } from "./findings.ts";
import { podsByState, type Report, workloadsOf } from "./report.ts";

/** docs/reference/check.md describes it. */
export function reportJson(report: Report) {
  const { version, context, server, kubernetes, install, controller, trials } = report;
  return {
    ...{ version, context, server, kubernetes },
    healthy: !needsAction(report.findings),
    installation: {
      namespace: install,
      installed: report.installed,
      version: controller?.version ?? null,
      available: controller?.available ?? null,
      wanted: controller?.wanted ?? null,
      webhooks: report.webhooks ?? null,
      certificateDaysLeft: report.certificateDaysLeft ?? null,
      permissionsGranted: report.permissionsGranted ?? null,
      policyPortAnswers: report.policyPort ?? null,
    },
    trials: trials.map(({ namespace, outcome, ms, said }) => ({
      ...{ namespace, outcome, ms },
      said: said ?? null,
    })),
    policy: report.policy
      ? {
          rules: report.policy.rules ?? null,
          boundaries: report.policy.boundaries ?? null,
          sidecars: {
            running: report.policy.sidecars.running,
            asked: report.policy.sidecars.asked,
          },
        }
      : null,
    pods: podsByState(report.inhabitants),
    namespaces: (report.inhabitants ?? []).map(({ place, groups }) => ({
      name: place.namespace,
      injection: place.injection,
      workloads: workloadsOf(groups),
    })),
    findings: report.findings.map((finding) => ({ level: FINDINGS[finding.code], ...finding })),
  };
}
