import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { canonicalAddress } from "@sallyport/core/address";
import forge from "node-forge";

/** PEM, both. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

/** Whom a certificate names. To Kubernetes a client's common name is its user, the organization its group. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

const LIFE_MS = 7 * 86_400_000;
const BACKDATED_MS = 5 * 60_000;

/** The authority of a test cluster, which certifies its servers and its clients. */
export class ClusterAuthority {
  readonly certificate: string;
  readonly #certificate: forge.pki.Certificate;
  readonly #key: forge.pki.rsa.PrivateKey;

  private constructor(certificate: forge.pki.Certificate, key: forge.pki.rsa.PrivateKey) {
    this.#certificate = certificate;
    this.#key = key;
    this.certificate = forge.pki.certificateToPem(certificate);
  }

  static async create(commonName: string): Promise<ClusterAuthority> {
    const keys = await keyPair();
    const certificate = newCertificate({ commonName }, keys.publicKey);
    certificate.setIssuer(certificate.subject.attributes);
    certificate.setExtensions([
      { name: "basicConstraints", critical: true, cA: true },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
      { name: "subjectKeyIdentifier" },
    ]);
    const key = forge.pki.privateKeyFromPem(keys.privateKey);
    certificate.sign(key, forge.md.sha256.create());
    return new ClusterAuthority(certificate, key);
  }

  /** For a client; with `names` (DNS names, addresses) for a server that is also one. */
  async issue(subject: Subject, names: readonly string[] = []): Promise<KeyAndCertificate> {
    const keys = await keyPair();
    const certificate = newCertificate(subject, keys.publicKey);
    certificate.setIssuer(this.#certificate.subject.attributes);
    certificate.setExtensions([
      { name: "basicConstraints", critical: true, cA: false },
      { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
      { name: "extKeyUsage", clientAuth: true, serverAuth: names.length > 0 },
      ...(names.length > 0
        ? [{ name: "subjectAltName", altNames: names.map(alternativeName) }]
        : []),
    ]);
    certificate.sign(this.#key, forge.md.sha256.create());
    return { key: keys.privateKey, certificate: forge.pki.certificateToPem(certificate) };
  }
}

/** PEM, both: with what service account tokens are signed and verified. */
export function serviceAccountKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return keyPair();
}

function newCertificate(
  { commonName, organization }: Subject,
  publicKey: string,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = new Date(Date.now() - BACKDATED_MS);
  certificate.validity.notAfter = new Date(Date.now() + LIFE_MS);
  certificate.setSubject([
    ...(organization ? [{ name: "organizationName", value: organization }] : []),
    { name: "commonName", value: commonName },
  ]);
  return certificate;
}

/** forge's types of general names (RFC 5280 §4.2.1.6). */
function alternativeName(name: string) {
  const ip = canonicalAddress(name);
  return ip === undefined ? { type: 2, value: name } : { type: 7, ip };
}

/** By Node, in a thread: forge's own arithmetic would take seconds. */
function keyPair(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}
