import { issueOneShot, type OneShotCertificate } from "../certificates.ts";
import type { Log } from "../log.ts";
import { hasStatus } from "./api-error.ts";
import {
  type CertificateContent,
  newSealKey,
  type SharedCertificate,
  trustedAuthorities,
} from "./certificate-content.ts";
import {
  nextStep,
  ROTATION,
  type RotationTimes,
  type Step,
  taken,
} from "./certificate-rotation.ts";
import type { SecretCertificate } from "./certificate-secret.ts";
import { logOnce } from "./log-once.ts";
import type { SecretStore } from "./secret-store.ts";

export interface CertificateDuty {
  readonly store: SecretStore;
  readonly source: SecretCertificate;
  readonly names: readonly string[];
  readonly lifeMs: number;
  readonly times?: RotationTimes | undefined;
  /** The Secret is another: serve what it holds now. */
  readonly onWritten: () => Promise<void>;
  readonly log: Log;
}

export interface CertificateKeeper {
  /** Takes the step that is due, if one is; after how many milliseconds to look again. */
  look(): Promise<number>;
  /** PEM: what is to be trusted now; undefined before there is anything. */
  authorities(): string | undefined;
  /** Whether everybody who calls us trusts `authorities()`. */
  note(trusted: boolean): void;
}

const AGAIN_MS = 1_000;

/** The leader's hand on the Secret. What it knows besides is how long things have been as they are; a new leader waits anew. */
export function keepCertificate(duty: CertificateDuty): CertificateKeeper {
  const { store, source, names, lifeMs, times = ROTATION, onWritten, log } = duty;
  const told = logOnce(log);
  /** What the Secret said last, by our own reading or writing. */
  let shared: SharedCertificate | undefined = source.shared;
  let trust: { readonly what: string; readonly sinceMs: number } | undefined;

  const trustedForMs = () =>
    shared && trust?.what === identityOf(shared) ? performance.now() - trust.sinceMs : undefined;
  const fresh = () => issueOneShot(names, Date.now(), lifeMs);

  const look = async () => {
    const stored = await store.read();
    const { content } = stored;
    if (content.kind === "usable") shared = content;
    const step = nextStep(
      content,
      { nowMs: Date.now(), names, trustedForMs: trustedForMs() },
      times,
    );
    if (step.step === "wait") return step.forMs;
    const after = await afterStep(step, content, shared, fresh);
    await store.write(stored, after);
    shared = after;
    log("info", `certificate: ${SAID[step.step]}`, {
      ...("why" in step && { why: step.why }),
      notAfter: (after.next ?? after.current).notAfter.toISOString(),
    });
    await onWritten();
    return AGAIN_MS;
  };
  return {
    look: async () => {
      try {
        const againMs = await look();
        told.fine(`${store.what} is kept again`);
        return againMs;
      } catch (error) {
        // Written by somebody else meanwhile: the next look shows what.
        if (!hasStatus(error, 409)) told.trouble(error);
        return AGAIN_MS;
      }
    },
    authorities: () => shared && trustedAuthorities(shared),
    note: (trusted) => {
      if (!trusted || !shared) trust = undefined;
      else if (trust?.what !== identityOf(shared))
        trust = { what: identityOf(shared), sinceMs: performance.now() };
    },
  };
}

const SAID = {
  issue: "the first one is made",
  stage: "the next one is made, to be trusted beside the one in use",
  promote: "the next one is served from now on",
  retire: "the one before is trusted no more",
} as const;

async function afterStep(
  step: Exclude<Step, { step: "wait" }>,
  found: CertificateContent,
  shared: SharedCertificate | undefined,
  fresh: () => Promise<OneShotCertificate>,
): Promise<SharedCertificate> {
  if (step.step === "promote" || step.step === "retire") {
    if (!shared) throw new Error(`there is no certificate to ${step.step}`);
    return taken(step.step, shared);
  }
  const made = await fresh();
  if (step.step === "stage" && shared) return taken("stage", shared, made);
  // One that is there is in use, with or without the certificate.
  const sealKey = found.sealKey ?? newSealKey();
  // The Secret is lost, but what it held is served and trusted: so nobody notices, and a new one follows at once.
  return shared
    ? { ...taken("stage", shared, made), sealKey }
    : { current: made, retired: [], sealKey };
}

/** Another as soon as anything of it that others must hear of is another. */
function identityOf(shared: SharedCertificate): string {
  return shared.current.certificate + trustedAuthorities(shared);
}
