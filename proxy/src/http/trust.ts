import { readFileSync } from "node:fs";

/** A bundle of certificates cannot be used; the message says which, and why. */
export class TrustError extends Error {}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of PEM files, each by itself. Throws TrustError where a file cannot be read, or holds none that is sound. */
export function readBundles(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const certificates = readText(file).match(CERTIFICATE) ?? [];
    if (certificates.length === 0)
      throw new TrustError(
        `${file} holds no certificate: expected PEM, "-----BEGIN CERTIFICATE-----" and so on`,
      );
    for (const [i, certificate] of certificates.entries()) check(certificate, i, file);
    return certificates;
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TrustError(`cannot read the certificates in ${file}: ${(error as Error).message}`);
  }
}

function check(certificate: string, index: number, file: string): void {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    new X509Certificate(certificate);
  } catch (error) {
    throw new TrustError(
      `certificate ${index + 1} of ${file} cannot be read: ${(error as Error).message}`,
    );
  }
}
