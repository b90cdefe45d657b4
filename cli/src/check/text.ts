import { count } from "../policy/amount.ts";
import { type Code, FINDINGS, type Finding } from "./findings.ts";
import { podsByState, type Report, workloadsOf } from "./report.ts";

/** A line for each part that was looked at, and below what is to be done about it. */
export function reportText(report: Report): string[] {
  const { version, kubernetes, context, findings } = report;
  const [actions, notes] = (["action", "note"] as const).map((level) =>
    alike(findings.filter(({ code }) => FINDINGS[code] === level)),
  ) as [Alike, Alike];
  return [
    `sallyport ${version}, Kubernetes ${kubernetes}, context ${context}`,
    "",
    ...(report.installed ? partLines(report) : []),
    ...told(actions, "✗"),
    ...told(notes, "·"),
    "",
    actions.length > 0 ? `${count(actions.length, "finding")} to act upon` : "all is well",
  ];
}

interface Part {
  readonly name: string;
  readonly codes: readonly Code[];
  /** Undefined: nobody can tell. */
  readonly says: (report: Report) => string | undefined;
  /** Whether what it says shows anything; otherwise as above. */
  readonly shows?: (report: Report) => boolean;
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
      "lease_missing",
      "nobody_leads",
    ],
    says: ({ controller }) =>
      controller &&
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
      webhooks === undefined
        ? undefined
        : `${webhooks} registered${days === undefined ? "" : days < 0 ? ", certificate expired" : `, certificate good for ${count(days, "day")}`}`,
  },
  {
    name: "admission",
    codes: ["webhook_not_answering", "trial_not_injected"],
    says: ({ trials }) =>
      trials.length === 0
        ? undefined
        : trials
            .map(({ namespace, outcome, ms }) =>
              outcome === "injected"
                ? `a pod in ${namespace} is given its sidecar (dry run, ${ms} ms)`
                : `a pod in ${namespace}: ${outcome.replaceAll("_", " ")}`,
            )
            .join("; "),
    shows: ({ trials }) => trials.some(({ outcome }) => outcome === "injected"),
  },
  {
    name: "permissions",
    codes: ["controller_not_permitted"],
    says: ({ permissionsGranted: granted }) =>
      granted === undefined ? undefined : `the controller has ${granted} that it uses`,
  },
  {
    name: "policy",
    codes: [
      "crd_missing",
      "crd_not_established",
      "policy_port_silent",
      "rule_unusable",
      "rule_refused",
      "rule_not_applied",
      "required_not_labelled",
      "sidecar_without_policy",
      "sidecar_policy_stale",
      "sidecar_disconnected",
      "bypass_not_permitted",
    ],
    says: ({ policy }) => {
      const { rules, boundaries, sidecars } = policy ?? {};
      if (rules === undefined || boundaries === undefined || !sidecars) return undefined;
      const over = boundaries === 1 ? "1 boundary" : `${boundaries} boundaries`;
      return `${count(rules, "rule")}, ${over}; ${sidecars.asked} of ${count(sidecars.running, "running sidecar")} asked`;
    },
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
      if (!inhabitants) return undefined;
      const pods = podsByState(inhabitants);
      const workloads = inhabitants.flatMap(({ groups }) => workloadsOf(groups));
      if (inhabitants.length === 0) return "no namespace is labelled";
      const states = Object.entries(pods)
        .filter(([state, number]) => number > 0 || state === "injected")
        .map(([state, number]) => `${number} ${state.replaceAll("_", " ")}`);
      return `${count(workloads.length, "workload")} in ${count(inhabitants.length, "namespace")}; pods: ${states.join(", ")}`;
    },
    shows: ({ inhabitants = [] }) =>
      !inhabitants.some(({ hidden }) => hidden.some(({ what }) => what === "pods")),
  },
];

const WIDTH = 13;

function partLines(report: Report): string[] {
  const found = new Set(report.findings.map(({ code }) => code));
  return PARTS.map(({ name, codes, says, shows = () => true }) => {
    const said = says(report);
    const fine = said === undefined || !shows(report) ? "?" : "✓";
    const mark = codes.some((code) => found.has(code)) ? "✗" : fine;
    return `  ${mark} ${name.padEnd(WIDTH)}${said ?? "not known"}`;
  });
}

type Alike = readonly (readonly [Finding, ...Finding[]])[];

/** What is said of several in the same words is said once. */
function alike(findings: readonly Finding[]): Alike {
  const words = ({ code, message, remedy }: Finding) => [code, message, remedy].join("\n");
  return [...Map.groupBy(findings, words).values()] as unknown as Alike;
}

function told(groups: Alike, mark: string): string[] {
  return groups.flatMap((group) => {
    const [{ code, message, remedy }] = group;
    const subjects = group.map(({ subject }) => subject).join(", ");
    return ["", `  ${mark} ${subjects}  (${code})`, `    ${message}`, `    → ${remedy}`];
  });
}
