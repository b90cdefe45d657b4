import type { Log } from "../log.ts";
import { hasStatus } from "./api-error.ts";
import { logOnce } from "./log-once.ts";
import { pause } from "./pause.ts";
import type { SecretStore, StoredCertificate } from "./secret-store.ts";

const LOOK_MS = { most: 10_000, again: 1_000 } as const;

/** For the one controller that leads: looks every ten seconds whether the Secret holds `what` all share, and mends it. */
export async function keepShared(
  what: string,
  store: SecretStore,
  mend: (stored: StoredCertificate) => Promise<void>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const told = logOnce(log);
  while (!signal.aborted) {
    let forMs: number = LOOK_MS.most;
    try {
      await mend(await store.read());
      told.fine(`${what} in ${store.what} is kept again`);
    } catch (error) {
      // Written by somebody else meanwhile: the next look shows what.
      if (!hasStatus(error, 409)) told.trouble(error);
      forMs = LOOK_MS.again;
    }
    await pause(forMs, signal);
  }
}
