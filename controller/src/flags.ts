import { parseArgs } from "node:util";
import { canonicalAddress } from "@sallyport/core/address";
import { parseDuration } from "./duration.ts";
import { LEVELS, type Level } from "./log.ts";

export const HELP = `sallyport controller: the admission webhook that puts the sidecar into pods

  --port PORT               listen there (8443; 0: the kernel chooses, the log says)
  --config FILE             what is injected, JSON (docs/reference/controller.md)
  --service NAME            the Service in front of it (sallyport)
  --namespace NAME          and its namespace (sallyport-system)
  --cluster-domain NAME     cluster.local
  --tls-name NAME           one more DNS name or IP address for the certificate; may be given again
  --tls-cert-file FILE      serve with this certificate (PEM, with its chain) and not one of its own making;
  --tls-key-file FILE       both files are read again when they change
  --ca-out FILE             write the CA certificate there: the caBundle of a webhook configuration

On a cluster (in a pod by its ServiceAccount; without these options no API server is asked for anything):
  --kubeconfig FILE         speak to the API server that this file names
  --certificate-secret NAME serve with the certificate in that Secret of --namespace, made and rotated by the leader
  --seal-secret NAME        with --tls-cert-file: share the key that signs sidecars in that Secret of --namespace
  --webhooks NAME           keep caBundle and failurePolicy of the Mutating- and ValidatingWebhookConfiguration NAME
  --lease NAME              the Lease of --namespace by which replicas choose a leader
  --policy-port PORT        give sidecars their policy there, by EgressRules and EgressBoundaries (0: the kernel chooses)
  --certificate-life DURATION      how long a certificate in the Secret is valid (365d)
  --certificate-settling DURATION  how long the next one is trusted before it is served (30s)
  --certificate-overlap DURATION   and how long the one before is trusted after (5m)

  --shutdown-grace SECONDS  after SIGTERM, answer this long while /readyz says no (5)
  --log-level LEVEL         error, warn, info or debug (info)
  --version, --help

Standard output carries the log, one JSON object a line. Exit status: 0 after SIGTERM, 1 when it could not serve,
2 when an option is wrong.
`;

export interface Flags {
  readonly port: number;
  readonly config?: string;
  readonly service: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  readonly tlsNames: readonly string[];
  /** Both or none. */
  readonly tlsFiles?: { readonly certFile: string; readonly keyFile: string };
  readonly caOut?: string;
  /** Absent: no API server is spoken to. */
  readonly cluster?: ClusterFlags;
  readonly shutdownGraceMs: number;
  readonly logLevel: Level;
}

export interface ClusterFlags {
  /** Absent: by the pod's ServiceAccount. */
  readonly kubeConfigFile?: string;
  readonly certificateSecret?: string;
  /** Only with `tlsFiles`: the Secret of a certificate holds the key, too. */
  readonly sealSecret?: string;
  readonly webhooks?: string;
  readonly lease?: string;
  /** Absent: sidecars have their policy in their config. */
  readonly policyPort?: number;
  readonly certificateLifeMs: number;
  readonly settlingMs: number;
  readonly overlapMs: number;
}

/** Options that cannot be used; each line of the message is one mistake. */
export class Misuse extends Error {}

/** RFC 1123 §2.1, as Kubernetes takes names. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const isDomain = (text: string) =>
  text.length <= 253 && text.split(".").every((label) => LABEL.test(label));
const isLabel = (text: string) => LABEL.test(text);
const isTlsName = (text: string) =>
  canonicalAddress(text) !== undefined || isDomain(text.replace(/^\*\./, ""));

export function parseFlags(argv: readonly string[]): Flags | "help" | "version" {
  const values = read(argv);
  if (values.help) return "help";
  if (values.version) return "version";
  const mistakes: string[] = [];
  const must = (holds: boolean, mistake: string) => {
    if (!holds) mistakes.push(mistake);
  };
  const number = (option: "port" | "policy-port" | "shutdown-grace", most: number) => {
    const text = values[option] ?? "";
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    must(value <= most, `--${option} ${text}: expected a number from 0 to ${most}`);
    return value;
  };
  const port = number("port", 65_535);
  const shutdownGraceMs = number("shutdown-grace", 600) * 1_000;
  const logLevel = LEVELS.find((level) => level === values["log-level"]);
  must(logLevel !== undefined, `--log-level ${values["log-level"]}: expected ${LEVELS.join(", ")}`);
  for (const option of ["service", "namespace"] as const)
    must(isLabel(values[option]), `--${option} ${values[option]}: expected a DNS label`);
  must(
    isDomain(values["cluster-domain"]),
    `--cluster-domain ${values["cluster-domain"]}: expected a DNS name such as cluster.local`,
  );
  for (const name of values["tls-name"])
    must(isTlsName(name), `--tls-name ${name}: expected a DNS name or an IP address`);
  const { "tls-cert-file": certFile, "tls-key-file": keyFile } = values;
  must(
    (certFile === undefined) === (keyFile === undefined),
    `--tls-${certFile === undefined ? "key" : "cert"}-file goes with --tls-${certFile === undefined ? "cert" : "key"}-file: the other one is missing`,
  );
  must(
    values["ca-out"] === undefined || certFile === undefined,
    "--ca-out writes the CA of a certificate made here; one from --tls-cert-file has another",
  );
  const policyPort =
    values["policy-port"] === undefined ? undefined : number("policy-port", 65_535);
  const cluster = clusterFlags(values, policyPort, must);
  if (mistakes.length > 0) throw new Misuse(mistakes.join("\n"));
  return {
    port,
    service: values.service,
    namespace: values.namespace,
    clusterDomain: values["cluster-domain"],
    tlsNames: values["tls-name"],
    shutdownGraceMs,
    logLevel: logLevel ?? "info",
    ...(values.config !== undefined && { config: values.config }),
    ...(certFile !== undefined && keyFile !== undefined && { tlsFiles: { certFile, keyFile } }),
    ...(values["ca-out"] !== undefined && { caOut: values["ca-out"] }),
    ...(cluster && { cluster }),
  };
}

type Must = (holds: boolean, mistake: string) => void;

function clusterFlags(
  values: ReturnType<typeof read>,
  policyPort: number | undefined,
  must: Must,
): ClusterFlags | undefined {
  const { kubeconfig, webhooks, lease } = values;
  const { "certificate-secret": certificateSecret, "seal-secret": sealSecret } = values;
  const duration = (
    option: "certificate-life" | "certificate-settling" | "certificate-overlap",
  ) => {
    const ms = parseDuration(values[option]);
    must(
      ms !== undefined,
      `--${option} ${values[option]}: expected a duration such as 30s, 5m, 365d`,
    );
    return ms ?? Number.NaN;
  };
  const certificateLifeMs = duration("certificate-life");
  const [settlingMs, overlapMs] = [
    duration("certificate-settling"),
    duration("certificate-overlap"),
  ];
  must(
    // Where one is no duration at all, that has been told.
    !(certificateLifeMs / 3 <= settlingMs + overlapMs),
    "--certificate-life: a third of it must be longer than settling and overlap together",
  );
  for (const option of ["certificate-secret", "seal-secret", "webhooks", "lease"] as const) {
    const name = values[option];
    must(name === undefined || isDomain(name), `--${option} ${name}: expected an object's name`);
  }
  must(
    certificateSecret === undefined ||
      (values["tls-cert-file"] === undefined && values["ca-out"] === undefined),
    "--certificate-secret goes with neither --tls-cert-file nor --ca-out: it holds certificate and CA",
  );
  must(
    sealSecret === undefined || values["tls-cert-file"] !== undefined,
    "--seal-secret goes with --tls-cert-file: what --certificate-secret names holds the key, too",
  );
  must(
    webhooks === undefined ||
      certificateSecret !== undefined ||
      values["tls-cert-file"] !== undefined,
    "--webhooks goes with --certificate-secret, or with --tls-cert-file: replicas would have a CA each",
  );
  must(
    lease !== undefined || [certificateSecret, sealSecret, webhooks].every((name) => !name),
    "--lease is missing: one replica writes what --certificate-secret, --seal-secret and --webhooks name",
  );
  must(
    policyPort === undefined ||
      (lease !== undefined && (certificateSecret ?? sealSecret) !== undefined),
    "--policy-port goes with --lease, and with --certificate-secret or --seal-secret: replicas share the CA that sidecars trust",
  );
  const named = [kubeconfig, certificateSecret, sealSecret, webhooks, lease];
  if (named.every((value) => value === undefined)) return undefined;
  return {
    ...(kubeconfig !== undefined && { kubeConfigFile: kubeconfig }),
    ...(certificateSecret !== undefined && { certificateSecret }),
    ...(sealSecret !== undefined && { sealSecret }),
    ...(webhooks !== undefined && { webhooks }),
    ...(lease !== undefined && { lease }),
    ...(policyPort !== undefined && { policyPort }),
    ...{ certificateLifeMs, settlingMs, overlapMs },
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: "string", default: "8443" },
        config: { type: "string" },
        service: { type: "string", default: "sallyport" },
        namespace: { type: "string", default: "sallyport-system" },
        "cluster-domain": { type: "string", default: "cluster.local" },
        "tls-name": { type: "string", multiple: true, default: [] },
        "tls-cert-file": { type: "string" },
        "tls-key-file": { type: "string" },
        "ca-out": { type: "string" },
        kubeconfig: { type: "string" },
        "certificate-secret": { type: "string" },
        "seal-secret": { type: "string" },
        webhooks: { type: "string" },
        lease: { type: "string" },
        "policy-port": { type: "string" },
        "certificate-life": { type: "string", default: "365d" },
        "certificate-settling": { type: "string", default: "30s" },
        "certificate-overlap": { type: "string", default: "5m" },
        "shutdown-grace": { type: "string", default: "5" },
        "log-level": { type: "string", default: "info" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    const said = (error as Error).message.replaceAll("\n", " ");
    throw new Misuse(`${said}; --help lists what there is`);
  }
}
