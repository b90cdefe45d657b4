import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { canonicalAddress } from "@sallyport/core/address";
import forge from "node-forge";

const DAY_MS = 86_400_000;
const LIFE = {
  /** Clocks of API servers that run behind; at most this part of the life, so that the life of a short one is its own. */
  backdatedMs: 5 * 60_000,
  backdatedPart: 1 / 10,
  authorityMs: 3_650 * DAY_MS,
  servingMs: 365 * DAY_MS,
} as const;
const RSA_BITS = 2_048;

/** PEM, both; `certificate` may be a chain. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Authority {
  /** PEM: what a webhook configuration's caBundle holds. */
  readonly certificate: string;
  /** For these DNS names and IP addresses; never longer than the authority itself. */
  issue(names: readonly string[], nowMs: number, lifeMs?: number): Promise<ServingCertificate>;
}

/** One that several processes issue from: its key lies where all of them read it. */
export interface SharedAuthority extends Authority {
  /** PEM. */
  readonly key: string;
  readonly notAfter: Date;
}

/** A serving certificate whose authority signs nothing else: its key was thrown away. */
export interface OneShotCertificate extends ServingCertificate {
  /** PEM: the one authority that verifies it. */
  readonly authority: string;
  /** DNS names and canonical addresses that it is for. */
  readonly names: readonly string[];
}

/** Nobody can issue another by stealing a key that exists nowhere (docs/adr/008-serving-certificates.md). */
export async function issueOneShot(
  names: readonly string[],
  nowMs: number,
  lifeMs: number,
): Promise<OneShotCertificate> {
  const authority = await createAuthority(nowMs, "Sallyport webhook", lifeMs);
  return {
    ...(await authority.issue(names, nowMs, lifeMs)),
    authority: authority.certificate,
    names: names.map((name) => canonicalAddress(name) ?? name),
  };
}

/** The names by which an API server and people inside the cluster call a Service. */
export function serviceNames(service: string, namespace: string, clusterDomain: string): string[] {
  const inNamespace = `${service}.${namespace}`;
  return [service, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.${clusterDomain}`];
}

/** A certificate authority of our own; its key never leaves the process. `name` is what its certificates are called. */
export async function createAuthority(
  nowMs: number,
  name = "Sallyport webhook",
  lifeMs: number = LIFE.authorityMs,
): Promise<Authority> {
  const { certificate, issue } = await createSharedAuthority(nowMs, name, lifeMs);
  return { certificate, issue };
}

export async function createSharedAuthority(
  nowMs: number,
  name: string,
  lifeMs: number = LIFE.authorityMs,
): Promise<SharedAuthority> {
  const keys = await rsaKeys();
  const serial = randomSerial();
  // Two authorities in one caBundle (a rotation, two replicas) are told apart by name too.
  const subject = [
    { name: "organizationName", value: "Sallyport" },
    { name: "commonName", value: `${name} CA ${serial.slice(0, 8)}` },
  ];
  const authority = forge.pki.createCertificate();
  authority.serialNumber = serial;
  authority.publicKey = keys.publicKey;
  setLife(authority, nowMs, lifeMs);
  authority.setSubject(subject);
  authority.setIssuer(subject);
  authority.setExtensions([
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
  ]);
  authority.sign(keys.privateKey, forge.md.sha256.create());
  return authorityOf(authority, keys.privateKey, keys.pem, name);
}

/** As it was written down, both in PEM; fails where that is no authority and its key. */
export function authorityFrom(certificate: string, key: string, name: string): SharedAuthority {
  const authority = forge.pki.certificateFromPem(certificate);
  const privateKey = forge.pki.privateKeyFromPem(key);
  const own = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  if (forge.pki.publicKeyToPem(own) !== forge.pki.publicKeyToPem(authority.publicKey))
    throw new Error("the key is not the certificate's");
  const constraints = authority.getExtension("basicConstraints") as { cA?: boolean } | undefined;
  if (constraints?.cA !== true) throw new Error("the certificate is no authority's");
  return authorityOf(authority, privateKey, key, name);
}

function authorityOf(
  authority: forge.pki.Certificate,
  privateKey: forge.pki.rsa.PrivateKey,
  key: string,
  name: string,
): SharedAuthority {
  return {
    certificate: forge.pki.certificateToPem(authority),
    key,
    notAfter: authority.validity.notAfter,
    issue: async (names, at, servingMs = LIFE.servingMs) => {
      const own = await rsaKeys();
      const serving = forge.pki.createCertificate();
      serving.serialNumber = randomSerial();
      serving.publicKey = own.publicKey;
      setLife(serving, at, servingMs, authority.validity.notAfter);
      // Verifiers look at the alternative names alone (RFC 9525 §6.3); a common name holds 64 characters only.
      serving.setSubject([
        { name: "organizationName", value: "Sallyport" },
        { name: "commonName", value: name },
      ]);
      serving.setIssuer(authority.subject.attributes);
      serving.setExtensions([
        { name: "basicConstraints", critical: true, cA: false },
        { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: [...new Set(names)].map(alternativeName) },
        { name: "subjectKeyIdentifier" },
        {
          name: "authorityKeyIdentifier",
          keyIdentifier: authority.generateSubjectKeyIdentifier().getBytes(),
        },
      ]);
      serving.sign(privateKey, forge.md.sha256.create());
      return {
        certificate: forge.pki.certificateToPem(serving),
        key: own.pem,
        ...serving.validity,
      };
    },
  };
}

function setLife(
  certificate: forge.pki.Certificate,
  nowMs: number,
  lifeMs: number,
  latest?: Date,
): void {
  const notAfter = new Date(nowMs + lifeMs);
  certificate.validity.notBefore = new Date(
    nowMs - Math.min(LIFE.backdatedMs, lifeMs * LIFE.backdatedPart),
  );
  certificate.validity.notAfter = latest && latest < notAfter ? latest : notAfter;
}

/** RFC 5280 §4.1.2.2: positive, unique, unforeseeable; 128 bits, the first two of them 01. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** forge's types of general names (RFC 5280 §4.2.1.6). */
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

function alternativeName(name: string) {
  const ip = canonicalAddress(name);
  return ip === undefined ? { type: GENERAL_NAME.dns, value: name } : { type: GENERAL_NAME.ip, ip };
}

/** By Node, in a thread: forge's own arithmetic would stop the world for a second. */
async function rsaKeys() {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: RSA_BITS,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return {
    publicKey: forge.pki.publicKeyFromPem(publicKey),
    privateKey: forge.pki.privateKeyFromPem(privateKey),
    pem: privateKey,
  };
}
