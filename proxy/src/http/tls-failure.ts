import type { PeerCertificate } from "node:tls";
import type { FailReason } from "@sallyport/core/reasons";
import { printable } from "../sniff/name-given.ts";

export interface TlsFailure {
  readonly reason: Extract<
    FailReason,
    "failed.tls_verify" | "failed.tls" | "failed.connect_timeout"
  >;
  /** OpenSSL's or Node's code: `CERT_HAS_EXPIRED`. */
  readonly error: string;
  /** One clause for people. */
  readonly detail: string;
}

type Certificate = Pick<
  PeerCertificate,
  "subject" | "issuer" | "subjectaltname" | "valid_from" | "valid_to"
>;

/** Which check of the chain failed (openssl-verification-options(1), X509_V_ERR_*), in words. */
const CHECKS: Readonly<Record<string, (certificate: Certificate) => string>> = {
  CERT_HAS_EXPIRED: ({ valid_to }) =>
    `a certificate of its chain has expired (its own is valid until ${valid_to})`,
  CERT_NOT_YET_VALID: ({ valid_from }) =>
    `a certificate of its chain is not valid yet (its own is from ${valid_from})`,
  ERR_TLS_CERT_ALTNAME_INVALID: (certificate) => `the certificate is for ${namesOf(certificate)}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => "the certificate is signed by itself, and is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: () => "its chain ends in a root that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: () => "its issuer is not trusted, or the chain is incomplete",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => "its issuer is not trusted, or the chain is incomplete",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => "its issuer is not trusted, or the chain is incomplete",
  CERT_SIGNATURE_FAILURE: () => "a signature in its chain is wrong",
  CERT_REVOKED: () => "a certificate of its chain is revoked",
  CERT_UNTRUSTED: () => "its root is not trusted for this",
  CERT_REJECTED: () => "its root rejects this use",
  INVALID_CA: () => "a certificate of its chain must not sign others",
  INVALID_PURPOSE: () => "the certificate is not one for servers",
  PATH_LENGTH_EXCEEDED: () => "its chain is longer than a certificate in it allows",
  CERT_CHAIN_TOO_LONG: () => "its chain is too long",
};

/** The destination's certificate did not stand up. */
export function verifyFailure(code: string, name: string, certificate: Certificate): TlsFailure {
  const check = CHECKS[code]?.(certificate) ?? `the check failed: ${code}`;
  return {
    reason: "failed.tls_verify",
    error: code,
    detail: printable(
      `the certificate does not stand for ${name}: ${check}; its subject is ${party(certificate.subject)}, its issuer ${party(certificate.issuer)}`,
      600,
    ),
  };
}

/** What ends a handshake, or with TLS 1.3 the connection right after it (RFC 8446 §4.4.2.4, §6.2). */
const HANDSHAKE: readonly (readonly [RegExp, string])[] = [
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/,
    "the destination refused the handshake; it may demand a client certificate, which the sidecar has none of",
  ],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, "the destination speaks no TLS 1.2 or newer"],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNEXPECTED_MESSAGE/,
    "the destination does not speak TLS on this port",
  ],
  [/NO_APPLICATION_PROTOCOL/, "the destination speaks no HTTP/1.1 over TLS"],
  [/UNRECOGNIZED_NAME/, "the destination does not know the name"],
  [/^(ECONNRESET|EPIPE|ENDED)$/, "the destination closed the connection during the TLS handshake"],
];

export function handshakeFailure(error: NodeJS.ErrnoException | undefined): TlsFailure {
  const code = error?.code ?? "ENDED";
  const known = HANDSHAKE.find(([pattern]) => pattern.test(code));
  return {
    reason: "failed.tls",
    error: code,
    detail: known?.[1] ?? `the TLS handshake failed: ${code}`,
  };
}

export function handshakeTimeout(ms: number): TlsFailure {
  return {
    reason: "failed.connect_timeout",
    error: "ETIMEDOUT",
    detail: `the destination did not finish the TLS handshake within ${ms} ms`,
  };
}

function namesOf({ subject, subjectaltname }: Certificate): string {
  return subjectaltname?.replaceAll("DNS:", "") ?? `no name (subject ${party(subject)})`;
}

function party(names: Certificate["subject"] | undefined): string {
  const { CN, O } = names ?? {};
  return (
    [CN, O]
      .flat()
      .filter(Boolean)
      .map((text) => `"${text}"`)
      .join(", ") || "unnamed"
  );
}
