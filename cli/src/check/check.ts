import type { KubeConfig } from "@kubernetes/client-node";
import { VERSION } from "@sallyport/controller/admission/version";
import type { Rest } from "../kubernetes/rest.ts";
import type { InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { gatherInstall } from "./gather.ts";
import { judgeCertificates } from "./judge-certificates.ts";
import { judgeController } from "./judge-controller.ts";
import { judgeWebhooks, registeredWebhooks } from "./judge-webhooks.ts";
import { judgeWorkloads } from "./judge-workloads.ts";
import { judgeNamespaces, readNamespaces } from "./namespaces.ts";
import { checkPermissions } from "./permissions.ts";
import type { Report } from "./report.ts";
import { judgeTrials, placesToTry, tryInjection } from "./trial.ts";
import { lookAt } from "./workloads.ts";

export interface CheckOptions {
  readonly install: string;
  /** Of none: of all that may be seen. */
  readonly namespaces: readonly string[];
  readonly nowMs: number;
}

/** Looks at the installation, tries it, and looks at everything that it is for. Changes nothing. */
export async function check(
  rest: Rest,
  config: KubeConfig,
  { install, namespaces, nowMs }: CheckOptions,
): Promise<Report> {
  const facts = await gatherInstall(rest, install);
  const { state, findings: ofController } = judgeController(facts);
  const certificates = judgeCertificates(facts, nowMs);
  const report: Report = {
    version: VERSION,
    context: config.getCurrentContext(),
    server: rest.server,
    kubernetes: state.kubernetes,
    installed: isInstalled(facts),
    install,
    controller: {
      version: state.installation.version,
      available: state.available,
      wanted: state.wanted,
    },
    webhooks: registeredWebhooks(facts).length,
    certificateDaysLeft: certificates.daysLeft,
    permissionsGranted: undefined,
    trials: [],
    inhabitants: [],
    findings: [],
  };
  if (!report.installed) return { ...report, findings: [notInstalled(install)] };

  const reads = await readNamespaces(rest, namespaces);
  const { labelled, findings: ofNamespaces } = judgeNamespaces(reads, namespaces, install);
  const [trials, permissions] = await Promise.all([
    Promise.all(placesToTry(labelled).map((place) => tryInjection(rest, place))),
    checkPermissions(rest, install, state),
  ]);
  const answered = trials.find(({ version }) => version !== undefined)?.version;
  const installation = { ...state.installation, ...(answered && { version: answered }) };
  const inhabitants = [];
  for (const place of labelled) inhabitants.push(await lookAt(rest, place, installation));
  return {
    ...report,
    controller: { ...report.controller, version: installation.version },
    permissionsGranted: permissions.granted,
    trials,
    inhabitants,
    findings: [
      ...ofController,
      ...unreadable(facts),
      ...judgeWebhooks(facts),
      ...certificates.findings,
      ...judgeTrials(trials, labelled.length),
      ...permissions.findings,
      ...ofNamespaces,
      ...inhabitants.flatMap(judgeWorkloads),
    ],
  };
}

/** There is some of it: what is missing of the rest is a finding of its own. */
function isInstalled({ deployment, mutating, validating, service }: InstallFacts): boolean {
  return [deployment, mutating, validating, service].some((read) => !("absent" in read));
}

function notInstalled(install: string): Finding {
  return {
    code: "not_installed",
    subject: `namespace/${install}`,
    message: "Sallyport is not installed there, and no webhook of its name is registered",
    remedy: `helm install sallyport charts/sallyport -n ${install} --create-namespace; or say where it is: --install-namespace`,
  };
}

/** What may not be read, and what is not known therefore. */
const UNREADABLE = [
  ["deployment", "whether the controller runs"],
  ["service", "whether the webhooks' Service is there"],
  ["endpointSlices", "whether the Service has endpoints"],
  ["configMap", "what is injected now, so sidecars are compared by their version alone"],
  ["secret", "how long the serving certificate lives; a trial shows whether it is trusted"],
  ["mutating", "whether the webhooks are registered"],
  ["validating", "whether the webhooks are registered"],
] as const;

function unreadable(facts: InstallFacts): Finding[] {
  return UNREADABLE.flatMap(([key, unknown]): Finding[] => {
    const read = facts[key];
    if (!("unknown" in read)) return [];
    return [
      {
        ...{ code: "not_permitted", subject: `${facts.namespace}/${key.toLowerCase()}` },
        message: `not known is ${unknown}: ${read.unknown}`,
        remedy: read.forbidden ? "ask for get on it, or have somebody check who may" : "try again",
      },
    ];
  });
}
