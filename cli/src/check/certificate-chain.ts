import { X509Certificate } from "node:crypto";

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** All that a file of certificates (PEM) holds, in its order; an error where one of them is none. */
export function certificatesIn(base64: unknown): X509Certificate[] | Error {
  const pem = Buffer.from(typeof base64 === "string" ? base64 : "", "base64").toString();
  try {
    return (pem.match(PEM) ?? []).map((block) => new X509Certificate(block));
  } catch (error) {
    return error as Error;
  }
}

/**
 * Whether a way leads from the certificate over those that are sent with it to one that is trusted, as the API server
 * looks for it: whatever is trusted ends the way, a root or not, and itself too (Go, crypto/x509, Certificate.Verify).
 */
export function isTrusted(
  certificate: X509Certificate,
  sent: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  nowMs: number,
): boolean {
  const inForce = (one: X509Certificate) =>
    one.validFromDate.getTime() <= nowMs && nowMs <= one.validToDate.getTime();
  const ends = trusted.filter(inForce);
  const isEnd = (one: X509Certificate) =>
    ends.some((end) => end.fingerprint256 === one.fingerprint256 || issued(end, one));
  const leads = (one: X509Certificate, steps: readonly X509Certificate[]): boolean =>
    isEnd(one) || steps.some((step, i) => issued(step, one) && leads(step, steps.toSpliced(i, 1)));
  return leads(certificate, sent.filter(inForce));
}

function issued(authority: X509Certificate, certificate: X509Certificate): boolean {
  return (
    authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
  );
}
