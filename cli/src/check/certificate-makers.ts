import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { known } from "../kubernetes/read.ts";
import { type InstallFacts, NAMES } from "./facts.ts";

/** Who makes the serving certificate, and what to do about it (certificate.source in the chart's values). */
export interface Maker {
  /** Whether somebody renews it by itself, at two thirds of its life. */
  readonly renews: boolean;
  readonly toRenew: (facts: InstallFacts) => string;
  /** So that it is for that name. */
  readonly toName: (host: string, facts: InstallFacts) => string;
  /** So that the webhooks' caBundle verifies it. */
  readonly toTrust: (facts: InstallFacts) => string;
}

const MAKERS = {
  generated: {
    renews: true,
    toRenew: (facts) => `the leading controller renews it, and logs why not: ${logs(facts)}`,
    toName: (_, facts) =>
      `the controllers make it by their arguments --service and --namespace: kubectl get deployment ${NAMES.deployment} -n ${facts.namespace} -o yaml`,
    toTrust: (facts) => `the leading controller writes its caBundle: ${logs(facts)}`,
  },
  certManager: {
    renews: true,
    toRenew: (facts) => `cert-manager renews it, and says why not: ${describe(facts)}`,
    toName: (host, facts) =>
      `${host} is to be among the dnsNames of its Certificate: ${describe(facts)}`,
    toTrust: (facts) =>
      `cert-manager's cainjector writes its caBundle: see that it runs, and ${describe(facts)}`,
  },
  files: {
    renews: false,
    toRenew: ({ namespace, secretName }) =>
      `put a new one into Secret ${secretName}, the controllers read it by themselves: kubectl create secret tls ${secretName} -n ${namespace} --cert=FILE --key=FILE --dry-run=client -o yaml | kubectl apply -f -`,
    toName: (host) => `have one issued for ${host}`,
    toTrust: ({ namespace, secretName }) =>
      `tls.crt of Secret ${secretName} is to hold the certificates between, and the chart's certificate.caBundle the authority: helm upgrade sallyport charts/sallyport -n ${namespace} --reuse-values --set-file certificate.caBundle=FILE`,
  },
} as const satisfies Readonly<Record<string, Maker>>;

export function makerOf({ secretName, mutating, validating }: InstallFacts): Maker {
  if ([mutating, validating].some((read) => isInjected(known(read)))) return MAKERS.certManager;
  return secretName === NAMES.secret ? MAKERS.generated : MAKERS.files;
}

/** https://cert-manager.io/docs/concepts/ca-injector/ */
function isInjected(configuration: JsonObject | undefined): boolean {
  const { annotations } = asObject(configuration?.metadata);
  return asObject(annotations)["cert-manager.io/inject-ca-from"] !== undefined;
}

function logs({ namespace }: InstallFacts): string {
  return `kubectl logs deployment/${NAMES.deployment} -n ${namespace}`;
}

function describe({ namespace }: InstallFacts): string {
  return `kubectl describe certificates.cert-manager.io -n ${namespace}`;
}
