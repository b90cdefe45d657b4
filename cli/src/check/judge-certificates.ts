import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { known } from "../kubernetes/read.ts";
import { certificatesIn, isTrusted } from "./certificate-chain.ts";
import { type Maker, makerOf } from "./certificate-makers.ts";
import type { InstallFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { registeredWebhooks } from "./judge-webhooks.ts";

const DAY_MS = 86_400_000;
/** Who renews a certificate does so when two thirds of its life are over; this late, it has not happened. */
const OVERDUE_AT = 0.75;

export interface Certificates {
  readonly findings: readonly Finding[];
  /** Until what is served now runs out; undefined where it cannot be read. */
  readonly daysLeft: number | undefined;
}

/** Whether every webhook's caBundle verifies what the controller serves, now and for a while yet. */
export function judgeCertificates(facts: InstallFacts, nowMs: number): Certificates {
  const subject = `${facts.namespace}/secret/${facts.secretName}`;
  const maker = makerOf(facts);
  const serving = servingCertificates(facts);
  if (serving instanceof Error) {
    const remedy = maker.toRenew(facts);
    const { message } = serving;
    return {
      findings: [
        { code: "certificate_missing", subject, message, remedy },
        ...trustFindings(facts, maker, undefined, nowMs),
      ],
      daysLeft: undefined,
    };
  }
  return {
    findings: [
      ...(serving ? lifeFindings(serving.certificate, subject, nowMs, facts, maker) : []),
      ...trustFindings(facts, maker, serving, nowMs),
    ],
    daysLeft: serving && Math.floor((serving.certificate.validToDate.getTime() - nowMs) / DAY_MS),
  };
}

/** What the controllers send: the certificate itself first (RFC 8446 §4.4.2). */
interface Serving {
  readonly certificate: X509Certificate;
  readonly others: readonly X509Certificate[];
}

/** Undefined where it cannot be read. */
function servingCertificates({ secret }: InstallFacts): Serving | Error | undefined {
  if ("unknown" in secret) return undefined;
  if ("absent" in secret) return new Error("the Secret of the serving certificate is not there");
  const data = asObject(asObject(known(secret)).data)["tls.crt"];
  if (typeof data !== "string" || data === "")
    return new Error("the Secret holds no serving certificate (tls.crt) yet");
  const found = certificatesIn(data);
  const [certificate, ...others] = found instanceof Error ? [] : found;
  if (certificate) return { certificate, others };
  const why = found instanceof Error ? found.message : "it has no PEM block CERTIFICATE";
  return new Error(`tls.crt of the Secret is no certificate: ${why}`);
}

function lifeFindings(
  certificate: X509Certificate,
  subject: string,
  nowMs: number,
  facts: InstallFacts,
  maker: Maker,
): Finding[] {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const remedy = maker.toRenew(facts);
  const day = dayOf(certificate);
  if (nowMs > to)
    return [
      {
        ...{ code: "certificate_expired", subject, remedy },
        message: `the serving certificate expired on ${day}: the API server trusts no controller`,
      },
    ];
  if (nowMs <= from + (to - from) * OVERDUE_AT) return [];
  return [
    maker.renews
      ? {
          ...{ code: "certificate_overdue", subject, remedy },
          message: `the serving certificate was due to be renewed and ends on ${day}`,
        }
      : {
          ...{ code: "certificate_ageing", subject, remedy },
          message: `three quarters of the serving certificate's life are over: it ends on ${day}`,
        },
  ];
}

function trustFindings(
  facts: InstallFacts,
  maker: Maker,
  serving: Serving | undefined,
  nowMs: number,
): Finding[] {
  return registeredWebhooks(facts).flatMap(({ name, entry }) => {
    const clientConfig = asObject(entry.clientConfig);
    const subject = `webhook/${name}`;
    const findings: Finding[] = [];
    const problem = trustProblem(certificatesIn(clientConfig.caBundle), serving, nowMs);
    if (problem) findings.push({ ...problem, subject, remedy: maker.toTrust(facts) });
    const host = hostOf(clientConfig);
    if (serving && host !== undefined && !isFor(serving.certificate, host))
      findings.push({
        ...{ code: "certificate_name", subject, remedy: maker.toName(host, facts) },
        message: `the controller's certificate is not for ${host}`,
      });
    return findings;
  });
}

function trustProblem(
  authorities: readonly X509Certificate[] | Error,
  serving: Serving | undefined,
  nowMs: number,
): Pick<Finding, "code" | "message"> | undefined {
  const [first] = authorities instanceof Error ? [] : authorities;
  if (authorities instanceof Error || !first)
    return {
      code: "ca_missing",
      message: "its caBundle holds no certificate: the API server trusts no controller",
    };
  if (authorities.every(({ validToDate }) => validToDate.getTime() < nowMs))
    return { code: "ca_expired", message: `its caBundle expired on ${dayOf(first)}` };
  if (!serving || isTrusted(serving.certificate, serving.others, authorities, nowMs))
    return undefined;
  return {
    code: "ca_not_of_certificate",
    message: "its caBundle does not verify the certificate that the controller serves",
  };
}

/** The name by which the API server asks for the certificate. */
function hostOf({ service, url }: JsonObject): string | undefined {
  if (typeof url === "string" && URL.canParse(url)) return new URL(url).hostname;
  const { name, namespace } = asObject(service);
  return name === undefined ? undefined : `${name}.${namespace}.svc`;
}

function isFor(certificate: X509Certificate, host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const found = isIP(address) ? certificate.checkIP(address) : certificate.checkHost(host);
  return found !== undefined;
}

function dayOf({ validToDate }: X509Certificate): string {
  return validToDate.toISOString().slice(0, 10);
}
