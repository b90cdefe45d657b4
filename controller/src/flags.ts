import { parseArgs } from "node:util";
import { canonicalAddress } from "@sallyport/core/address";
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
  readonly shutdownGraceMs: number;
  readonly logLevel: Level;
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
  const number = (option: "port" | "shutdown-grace", most: number) => {
    const text = values[option];
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
