import { readFile } from "node:fs/promises";
import { createAuthority, type ServingCertificate } from "./certificates.ts";
import type { Log } from "./log.ts";
import { servingCertificate } from "./serving-certificate.ts";

/** Where the serving certificate comes from, and goes on coming from. */
export interface CertificateSource {
  readonly current: ServingCertificate;
  /** PEM; absent where the certificate is somebody else's. */
  readonly ca?: string;
  /** Why `current` is not yet the one that is to be served; undefined once it is. */
  readonly notReady?: string | undefined;
  /** Looks whether there is a newer one; true when `current` has become another. */
  refresh(nowMs: number): Promise<boolean>;
}

/** What has to be there besides a certificate before pods can be admitted. */
export interface Prerequisite {
  readonly notReady: string | undefined;
  refresh(): Promise<void>;
}

/** It is looked after whenever the certificate is. */
export function servedWith(certificate: CertificateSource, also: Prerequisite): CertificateSource {
  return {
    get current() {
      return certificate.current;
    },
    get notReady() {
      return certificate.notReady ?? also.notReady;
    },
    refresh: async (nowMs) => {
      const [changed] = await Promise.all([certificate.refresh(nowMs), also.refresh()]);
      return changed;
    },
  };
}

/** A new one is issued when this much of the old one's life is over. */
const RENEWED_AT = 2 / 3;

/** Issued by an authority that lives as long as this process. */
export async function madeCertificate(
  names: readonly string[],
  nowMs: number,
): Promise<CertificateSource> {
  const authority = await createAuthority(nowMs);
  let current = await authority.issue(names, nowMs);
  return {
    get current() {
      return current;
    },
    ca: authority.certificate,
    refresh: async (now) => {
      const [from, to] = [current.notBefore.getTime(), current.notAfter.getTime()];
      if (now < from + (to - from) * RENEWED_AT) return false;
      current = await authority.issue(names, now);
      return true;
    },
  };
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Files that somebody else renews (cert-manager, a Secret volume). They are compared by content; what cannot be used,
 * because it is half written or one file is ahead of the other, changes nothing and is logged once.
 */
export async function certificateFromFiles(
  files: CertificateFiles,
  log: Log,
): Promise<CertificateSource> {
  const first = await read(files);
  let last: Pair | Error = first;
  let current = usable(first, files);
  return {
    get current() {
      return current;
    },
    refresh: async () => {
      const found = await read(files).catch((error: Error) => error);
      if (sameContent(found, last)) return false;
      last = found;
      try {
        current = usable(found, files);
        return true;
      } catch (error) {
        log("error", `the certificate in use stays: ${(error as Error).message}`);
        return false;
      }
    },
  };
}

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

async function read({ certFile, keyFile }: CertificateFiles): Promise<Pair> {
  const [certificate, key] = await Promise.all(
    [certFile, keyFile].map((file) =>
      readFile(file, "utf8").catch((error: Error) => {
        throw new Error(`cannot read the serving certificate: ${error.message}`);
      }),
    ),
  );
  return { certificate: certificate ?? "", key: key ?? "" };
}

function sameContent(a: Pair | Error, b: Pair | Error): boolean {
  if (a instanceof Error || b instanceof Error)
    return a instanceof Error && b instanceof Error && a.message === b.message;
  return a.certificate === b.certificate && a.key === b.key;
}

function usable(found: Pair | Error, { certFile, keyFile }: CertificateFiles): ServingCertificate {
  if (found instanceof Error) throw found;
  return servingCertificate(found.certificate, found.key, certFile, keyFile);
}
