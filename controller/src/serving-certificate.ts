import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ServingCertificate } from "./certificates.ts";

/** A certificate (PEM, perhaps with its chain) and its key, if they can be served; the names are for the message. */
export function servingCertificate(
  certificate: string,
  key: string,
  certificateName: string,
  keyName: string,
): ServingCertificate {
  const leaf = attempt(
    () => new X509Certificate(certificate),
    `${certificateName} holds no certificate in PEM`,
  );
  const privateKey = attempt(() => createPrivateKey(key), `${keyName} holds no private key in PEM`);
  if (!leaf.checkPrivateKey(privateKey))
    throw new Error(`${keyName} is not the key of ${certificateName}`);
  attempt(
    () => createSecureContext({ cert: certificate, key }),
    `${certificateName} and ${keyName} cannot be served`,
  );
  return { certificate, key, notBefore: leaf.validFromDate, notAfter: leaf.validToDate };
}

function attempt<T>(step: () => T, what: string): T {
  try {
    return step();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}
