import type { KubeConfig } from "@kubernetes/client-node";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { VERSION } from "@sallyport/core/version";
import { objectsOf, readBoundaries } from "../fleet/cluster-policy.ts";
import { demandsOver } from "../fleet/demands.ts";
import { labelsOf } from "../fleet/pod-policy.ts";
import { placeOf } from "../fleet/sidecar-page.ts";
import { known } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import type { InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { gatherInstall } from "./gather.ts";
import { judgeCertificates } from "./judge-certificates.ts";
import { judgeController } from "./judge-controller.ts";
import { judgeCrds } from "./judge-crds.ts";
import { judgeLease } from "./judge-lease.ts";
import { judgeWebhooks, registeredWebhooks } from "./judge-webhooks.ts";
import { judgeWorkloads } from "./judge-workloads.ts";
import { missedRanges } from "./missed-ranges.ts";
import { judgeNamespaces, readNamespaces } from "./namespaces.ts";
import { checkPermissions } from "./permissions.ts";
import { lookAtPolicy } from "./policy.ts";
import { tryPolicyPort } from "./policy-port.ts";
import type { Report } from "./report.ts";
import { judgeTrials, placesToTry, tryInjection } from "./trial.ts";
import { judgeUnreadable } from "./unreadable.ts";
import { type Inhabitants, lookAt } from "./workloads.ts";

export interface CheckOptions {
  readonly install: string;
  /** Of none: of all that may be seen. */
  readonly namespaces: readonly string[];
  /** At most so many sidecars are asked for what they have. */
  readonly sidecars: number;
  readonly nowMs: number;
}

/** Looks at the installation, tries it, and looks at everything that it is for. Changes nothing. */
export async function check(
  rest: Rest,
  config: KubeConfig,
  { install, namespaces, sidecars, nowMs }: CheckOptions,
): Promise<Report> {
  const facts = await gatherInstall(rest, install);
  const { state, findings: ofController } = judgeController(facts);
  const certificates = judgeCertificates(facts, nowMs);
  const report: Report = {
    version: VERSION,
    context: config.getCurrentContext(),
    server: rest.server,
    kubernetes: state.kubernetes,
    installed: true,
    install,
    controller: state.controller,
    webhooks: countOf(facts),
    certificateDaysLeft: certificates.daysLeft,
    permissionsGranted: undefined,
    trials: [],
    inhabitants: undefined,
    policyPort: undefined,
    policy: undefined,
    findings: [],
  };
  const elsewhere = notInstalled(facts);
  if (elsewhere) return { ...report, installed: false, findings: [elsewhere] };

  const reads = await readNamespaces(rest, namespaces);
  const { labelled, findings: ofNamespaces } = judgeNamespaces(reads, namespaces, install);
  const ofCrds = judgeCrds(facts);
  const [trials, permissions, policyPort, ofRanges] = await Promise.all([
    Promise.all(placesToTry(labelled).map((place) => tryInjection(rest, place))),
    checkPermissions(rest, install, state),
    tryPolicyPort(rest, install, state.args),
    missedRanges(rest, install),
  ]);
  // Who answers knows best which version it is.
  const version = trials.find((trial) => trial.version)?.version ?? state.installation.version;
  const inhabitants: Inhabitants[] = [];
  const hasKinds = facts.crds.every((read) => !("absent" in read));
  const boundaries = hasKinds ? await readBoundaries(rest) : undefined;
  for (const place of labelled) {
    const namespace = reads
      .map(known)
      .find((each) => each && placeOf(each).name === place.namespace);
    const demands =
      namespace && boundaries && demandsOver(objectsOf(boundaries), labelsOf(namespace));
    inhabitants.push(await lookAt(rest, { ...place, demands }, { ...state.installation, version }));
  }
  const policy = boundaries
    ? await lookAtPolicy(
        { rest, config },
        {
          ...{ install, boundaries, sidecars, nowMs: rest.nowMs() },
          labelled: labelled.map(({ namespace }) => namespace),
          namespaces: reads,
        },
      )
    : undefined;
  return {
    ...report,
    controller: state.controller && { ...state.controller, version },
    policyPort: policyPort.answers,
    policy,
    permissionsGranted: permissions.granted,
    trials,
    inhabitants: reads.every((read) => "unknown" in read) ? undefined : inhabitants,
    findings: [
      ...ofController,
      ...judgeLease(facts, state.args),
      ...judgeUnreadable(facts),
      ...judgeWebhooks(facts),
      ...certificates.findings,
      ...judgeTrials(
        trials,
        reads.some((read) => "unknown" in read) ? undefined : labelled.length,
        install,
      ),
      ...ofCrds,
      ...policyPort.findings,
      ...ofRanges,
      ...permissions.findings,
      ...ofNamespaces,
      ...inhabitants.flatMap(judgeWorkloads),
      ...(policy?.findings ?? []),
    ],
  };
}

function countOf(facts: InstallFacts): number | undefined {
  const unknown = "unknown" in facts.mutating && "unknown" in facts.validating;
  return unknown ? undefined : registeredWebhooks(facts).length;
}

/** Neither Deployment nor Service is there, and no webhook is to be answered from there. */
function notInstalled(facts: InstallFacts): Finding | undefined {
  if (!("absent" in facts.deployment && "absent" in facts.service)) return undefined;
  const places = registeredWebhooks(facts).map(
    ({ entry }) => asObject(asObject(entry.clientConfig).service).namespace,
  );
  if (places.includes(facts.namespace)) return undefined;
  const [place] = places;
  return {
    code: "not_installed",
    subject: `namespace/${facts.namespace}`,
    message:
      place === undefined
        ? "Sallyport is not installed there"
        : `Sallyport is not installed there; the webhooks are answered from namespace ${place}`,
    remedy:
      place === undefined
        ? `helm install sallyport charts/sallyport -n ${facts.namespace} --create-namespace; or say where it is: --install-namespace`
        : `sallyport check --install-namespace ${place}`,
  };
}
