import { X509Certificate } from "node:crypto";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { known } from "../kubernetes/read.ts";
import { type InstallFacts, NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { registeredWebhooks } from "./judge-webhooks.ts";

const DAY_MS = 86_400_000;
/** A controller renews its certificate when two thirds of its life are over; this late, it has not. */
const OVERDUE_AT = 0.75;

export interface Certificates {
  readonly findings: readonly Finding[];
  /** Until what is served now runs out; undefined where it cannot be read. */
  readonly daysLeft: number | undefined;
}

/** Whether every webhook's caBundle verifies what the controller serves, now and for a while yet. */
export function judgeCertificates(facts: InstallFacts, nowMs: number): Certificates {
  const secret = `${facts.namespace}/secret/${facts.secretName}`;
  const serving = servingCertificate(facts);
  const findings: Finding[] = [];
  if (serving instanceof Error)
    findings.push({
      ...{ code: "certificate_missing", subject: secret },
      message: serving.message,
      remedy: whoRenews(facts),
    });
  const certificate = serving instanceof Error ? undefined : serving;
  if (certificate) findings.push(...lifeFindings(certificate, secret, nowMs, facts));

  for (const { name, entry } of registeredWebhooks(facts)) {
    const clientConfig = asObject(entry.clientConfig);
    const subject = `webhook/${name}`;
    const authorities = authoritiesOf(clientConfig);
    const remedy = `the leading controller writes its caBundle: kubectl logs deployment/${NAMES.deployment} -n ${facts.namespace}`;
    const say = (code: Finding["code"], message: string) =>
      findings.push({ code, subject, message, remedy });
    if (authorities instanceof Error || authorities.length === 0)
      say("ca_missing", "its caBundle holds no certificate: the API server trusts no controller");
    else if (authorities.every((authority) => authority.validToDate.getTime() < nowMs))
      say("ca_expired", `its caBundle expired on ${dayOf(authorities[0] as X509Certificate)}`);
    else if (certificate && !authorities.some((authority) => verifies(authority, certificate)))
      say(
        "ca_not_of_certificate",
        "its caBundle does not verify the certificate that the controller serves",
      );
    const host = hostOf(clientConfig);
    if (certificate && host !== undefined && !isFor(certificate, host))
      say("certificate_name", `the controller's certificate is not for ${host}`);
  }
  return {
    findings,
    daysLeft: certificate && Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS),
  };
}

/** Undefined where it cannot be read. */
function servingCertificate({ secret }: InstallFacts): X509Certificate | Error | undefined {
  if ("unknown" in secret) return undefined;
  if ("absent" in secret) return new Error("the Secret of the serving certificate is not there");
  const data = asObject(asObject(known(secret)).data)["tls.crt"];
  if (typeof data !== "string" || data === "")
    return new Error("the Secret holds no serving certificate (tls.crt) yet");
  try {
    return new X509Certificate(Buffer.from(data, "base64"));
  } catch (error) {
    return new Error(`tls.crt of the Secret is no certificate: ${(error as Error).message}`);
  }
}

function lifeFindings(
  certificate: X509Certificate,
  subject: string,
  nowMs: number,
  facts: InstallFacts,
): Finding[] {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const remedy = whoRenews(facts);
  if (nowMs > to)
    return [
      {
        ...{ code: "certificate_expired", subject, remedy },
        message: `the serving certificate expired on ${dayOf(certificate)}: the API server trusts no controller`,
      },
    ];
  if (nowMs > from + (to - from) * OVERDUE_AT)
    return [
      {
        ...{ code: "certificate_overdue", subject, remedy },
        message: `the serving certificate was due to be renewed and ends on ${dayOf(certificate)}`,
      },
    ];
  return [];
}

function whoRenews({ secretName, namespace }: InstallFacts): string {
  return secretName === NAMES.secret
    ? `the leading controller renews it, and logs why not: kubectl logs deployment/${NAMES.deployment} -n ${namespace}`
    : "whoever issues it is to renew it (certificate.source in the chart's values)";
}

function authoritiesOf({ caBundle }: JsonObject): X509Certificate[] | Error {
  const pem = Buffer.from(String(caBundle ?? ""), "base64").toString();
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    return error as Error;
  }
}

function verifies(authority: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** The name by which the API server asks for the certificate. */
function hostOf({ service, url }: JsonObject): string | undefined {
  if (typeof url === "string" && URL.canParse(url)) return new URL(url).hostname;
  const { name, namespace } = asObject(service);
  return name === undefined ? undefined : `${name}.${namespace}.svc`;
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (certificate.checkHost(host) ?? certificate.checkIP(host)) !== undefined;
}

function dayOf({ validToDate }: X509Certificate): string {
  return validToDate.toISOString().slice(0, 10);
}
