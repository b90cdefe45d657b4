import { randomBytes, X509Certificate } from "node:crypto";
import { canonicalAddress } from "@sallyport/core/address";
import type { OneShotCertificate } from "../certificates.ts";
import { servingCertificate } from "../serving-certificate.ts";

/** What replicas that share a Secret share. */
export interface SharedCertificate {
  /** Served now. */
  readonly current: OneShotCertificate;
  /** Served next: already trusted, while a rotation is under way. */
  readonly next?: OneShotCertificate;
  /** Authorities (PEM) of what was served before, and may still be by a replica that is late. */
  readonly retired: readonly string[];
  /** Seals the ids that any replica has drawn for a pod (docs/adr/003-proxy-uid.md). */
  readonly sealKey: Uint8Array;
}

export type CertificateContent =
  /** Without a certificate; the key may be there, for replicas whose certificate comes from elsewhere share that alone. */
  | { readonly kind: "empty"; readonly sealKey?: Uint8Array }
  | { readonly kind: "broken"; readonly why: string; readonly sealKey?: Uint8Array }
  | ({ readonly kind: "usable" } & SharedCertificate);

/** The keys of the Secret; the first three are those that every tool knows. */
const KEYS = {
  certificate: "tls.crt",
  key: "tls.key",
  authorities: "ca.crt",
  nextCertificate: "next.crt",
  nextKey: "next.key",
  sealKey: "seal.key",
} as const;
const SEAL_KEY_BYTES = 32;

/** Everything that a caBundle holds now: what is served, what will be, what was. */
export function trustedAuthorities({ current, next, retired }: SharedCertificate): string {
  return [current.authority, ...(next ? [next.authority] : []), ...retired].map(withEnd).join("");
}

/** As a Secret's `data`: base64. A key that is to go is absent. */
export function writeContent(shared: SharedCertificate): Record<string, string> {
  const { current, next, sealKey } = shared;
  const texts = {
    [KEYS.certificate]: current.certificate,
    [KEYS.key]: current.key,
    [KEYS.authorities]: trustedAuthorities(shared),
    ...(next && { [KEYS.nextCertificate]: next.certificate, [KEYS.nextKey]: next.key }),
  };
  return {
    ...Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
    ),
    ...writeSealKey(sealKey),
  };
}

export function writeSealKey(sealKey: Uint8Array): Record<string, string> {
  return { [KEYS.sealKey]: Buffer.from(sealKey).toString("base64") };
}

export const newSealKey = (): Uint8Array => randomBytes(SEAL_KEY_BYTES);

/** Which of a Secret's keys are ours: what else stands there is somebody else's and stays. */
export const isOurKey = (key: string): boolean => (Object.values(KEYS) as string[]).includes(key);

export function readContent(data: Readonly<Record<string, string>> = {}): CertificateContent {
  const sealKey = sealKeyIn(data);
  const kept = sealKey && { sealKey };
  if (!Object.keys(data).some((key) => isOurKey(key) && key !== KEYS.sealKey))
    return { kind: "empty", ...kept };
  try {
    return { kind: "usable", ...read(data, sealKey) };
  } catch (error) {
    return { kind: "broken", why: (error as Error).message, ...kept };
  }
}

function sealKeyIn(data: Readonly<Record<string, string>>): Uint8Array | undefined {
  const sealKey = Buffer.from(data[KEYS.sealKey] ?? "", "base64");
  return sealKey.length === SEAL_KEY_BYTES ? sealKey : undefined;
}

function read(
  data: Readonly<Record<string, string>>,
  sealKey: Uint8Array | undefined,
): SharedCertificate {
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  const authorities = certificatesIn(text(KEYS.authorities));
  const pair = (certificateKey: string, keyKey: string): OneShotCertificate => {
    const serving = servingCertificate(text(certificateKey), text(keyKey), certificateKey, keyKey);
    const leaf = new X509Certificate(serving.certificate);
    const authority = authorities.find(
      (each) => leaf.checkIssued(each.x509) && leaf.verify(each.x509.publicKey),
    );
    if (!authority)
      throw new Error(`${KEYS.authorities} does not hold the authority of ${certificateKey}`);
    return { ...serving, authority: authority.pem, names: namesOf(leaf) };
  };
  const current = pair(KEYS.certificate, KEYS.key);
  const hasNext = KEYS.nextCertificate in data || KEYS.nextKey in data;
  const next = hasNext ? pair(KEYS.nextCertificate, KEYS.nextKey) : undefined;
  if (!sealKey) throw new Error(`${KEYS.sealKey} is not ${SEAL_KEY_BYTES} bytes`);
  const living = [current.authority, next?.authority];
  return {
    current,
    ...(next && { next }),
    retired: authorities.map(({ pem }) => pem).filter((pem) => !living.includes(pem)),
    sealKey,
  };
}

function certificatesIn(pem: string) {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => ({ pem: withEnd(block), x509: new X509Certificate(block) }));
}

/** Node writes `DNS:a, IP Address:2001:DB8:0:0:0:0:0:7`; what we issue has no name that would need quotes. */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName.split(", ").flatMap((entry) => {
    const [, name = ""] = /^(?:DNS|IP Address):(.*)$/.exec(entry) ?? [];
    return name === "" ? [] : [canonicalAddress(name) ?? name];
  });
}

/** forge writes CRLF, and so a text may differ where its meaning does not. */
function withEnd(pem: string): string {
  return `${pem.replaceAll("\r\n", "\n").trimEnd()}\n`;
}
