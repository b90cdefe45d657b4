import { randomBytes } from "node:crypto";
import type { CertificateSource } from "../certificate-source.ts";
import { issueOneShot } from "../certificates.ts";
import type { Log } from "../log.ts";
import type { CertificateContent, SharedCertificate } from "./certificate-content.ts";
import { logOnce } from "./log-once.ts";
import type { SecretStore } from "./secret-store.ts";

/** What every replica serves: what the Secret held when it could last be used. */
export interface SecretCertificate extends CertificateSource {
  /** Undefined until there was one. */
  readonly shared: SharedCertificate | undefined;
  /** Shared too, so that each replica knows what another has drawn. */
  readonly sealKey: Uint8Array;
}

/**
 * Until the Secret holds one, `current` is a certificate that nobody trusts: so that probes are answered, and /readyz says
 * what is waited for. What becomes of the Secret later, gone, emptied or broken, changes nothing of what is served.
 */
export async function certificateFromSecret(
  store: SecretStore,
  names: readonly string[],
  log: Log,
): Promise<SecretCertificate> {
  const told = logOnce(log);
  let interim = await issueOneShot(names, Date.now(), INTERIM_LIFE_MS);
  const ownSealKey = randomBytes(32);
  let shared: SharedCertificate | undefined;
  let waitsFor = `waiting for the first certificate in ${store.what}`;

  const refresh = async (nowMs: number) => {
    if (!shared && interim.notAfter.getTime() < nowMs)
      interim = await issueOneShot(names, nowMs, INTERIM_LIFE_MS);
    let content: CertificateContent;
    try {
      ({ content } = await store.read());
    } catch (error) {
      waitsFor = (error as Error).message;
      told.trouble(error);
      return false;
    }
    if (content.kind !== "usable") {
      const why = content.kind === "empty" ? "it holds no certificate" : content.why;
      waitsFor = `${store.what} cannot be used: ${why}`;
      // At the first start that is as it should be.
      if (shared) told.trouble(new Error(`${waitsFor}; the one in use stays`));
      return false;
    }
    told.fine(`${store.what} can be used again`);
    const changed = content.current.certificate !== shared?.current.certificate;
    shared = content;
    return changed;
  };
  await refresh(Date.now());
  return {
    get current() {
      return shared?.current ?? interim;
    },
    get notReady() {
      return shared ? undefined : waitsFor;
    },
    get shared() {
      return shared;
    },
    get sealKey() {
      return shared?.sealKey ?? ownSealKey;
    },
    refresh,
  };
}

const INTERIM_LIFE_MS = 86_400_000;
