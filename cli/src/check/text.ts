import { count } from "../policy/amount.ts";
import { type Code, FINDINGS, type Finding, needsAction } from "./findings.ts";
import { podsByState, type Report, workloadsOf } from "./report.ts";

/** A line for each part that was looked at, and below what is to be done about it. */
export function reportText(report: Report): string[] {
  const { version, kubernetes, context, findings } = report;
  const actions = findings.filter(({ code }) => FINDINGS[code] === "action");
  const notes = findings.filter(({ code }) => FINDINGS[code] === "note");
  return [
    `sallyport ${version}, Kubernetes ${kubernetes}, context ${context}`,
    "",
    ...(report.installed ? partLines(report) : []),
    ...told(actions, "✗"),
    ...told(notes, "·"),
    ...(report.installed || findings.length > 0 ? [""] : []),
    closing(findings, actions.length),
  ];
}

interface Part {
  readonly name: string;
  readonly codes: readonly Code[];
  readonly says: (report: Report) => string;
}

const PARTS: readonly Part[] = [
  {
    name: "controller",
    codes: [
      "controller_missing",
      "controller_unavailable",
      "controller_degraded",
      "service_missing",
      "service_without_endpoints",
      "configuration_unusable",
    ],
    says: ({ controller }) =>
      `${controller.available} of ${count(controller.wanted, "replica")} available, version ${controller.version}`,
  },
  {
    name: "webhooks",
    codes: [
      "webhook_missing",
      "webhook_lets_pass",
      "workload_webhook_refuses",
      "selector_changed",
      "ca_missing",
      "ca_expired",
      "ca_not_of_certificate",
      "certificate_missing",
      "certificate_expired",
      "certificate_overdue",
      "certificate_name",
    ],
    says: ({ webhooks, certificateDaysLeft: days }) =>
      `${webhooks} registered${days === undefined ? "" : days < 0 ? ", certificate expired" : `, certificate good for ${count(days, "day")}`}`,
  },
  {
    name: "admission",
    codes: ["webhook_not_answering", "trial_not_injected"],
    says: ({ trials }) =>
      trials.length === 0
        ? "not tried"
        : trials
            .map(({ namespace, outcome, ms }) =>
              outcome === "injected"
                ? `a pod in ${namespace} is given its sidecar (dry run, ${ms} ms)`
                : `a pod in ${namespace}: ${outcome.replaceAll("_", " ")}`,
            )
            .join("; "),
  },
  {
    name: "permissions",
    codes: ["controller_not_permitted"],
    says: ({ permissionsGranted: granted }) =>
      granted === undefined ? "not known" : `the controller has ${granted} that it uses`,
  },
  {
    name: "workloads",
    codes: [
      "sidecar_missing",
      "sidecar_stale",
      "sidecar_broken",
      "annotation_not_carried",
      "label_unknown",
      "namespace_excluded",
      "pod_security_refuses",
    ],
    says: ({ inhabitants }) => {
      const pods = podsByState(inhabitants);
      const workloads = inhabitants.flatMap(({ groups }) => workloadsOf(groups));
      if (inhabitants.length === 0) return "no namespace is labelled";
      const states = Object.entries(pods)
        .filter(([state, number]) => number > 0 || state === "injected")
        .map(([state, number]) => `${number} ${state.replaceAll("_", " ")}`);
      return `${count(workloads.length, "workload")} in ${count(inhabitants.length, "namespace")}; pods: ${states.join(", ")}`;
    },
  },
];

const WIDTH = 13;

function partLines(report: Report): string[] {
  const found = new Set(report.findings.map(({ code }) => code));
  return PARTS.map(({ name, codes, says }) => {
    const mark = codes.some((code) => found.has(code)) ? "✗" : "✓";
    return `  ${mark} ${name.padEnd(WIDTH)}${says(report)}`;
  });
}

function told(findings: readonly Finding[], mark: string): string[] {
  return findings.flatMap(({ code, subject, message, remedy }) => [
    "",
    `  ${mark} ${subject}  (${code})`,
    `    ${message}`,
    `    → ${remedy}`,
  ]);
}

function closing(findings: readonly Finding[], actions: number): string {
  if (needsAction(findings)) return `${count(actions, "finding")} to act upon`;
  return "all is well";
}
