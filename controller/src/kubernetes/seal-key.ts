import type { Prerequisite } from "../certificate-source.ts";
import type { Log } from "../log.ts";
import { newSealKey } from "./certificate-content.ts";
import { keepShared } from "./keep-shared.ts";
import { logOnce } from "./log-once.ts";
import type { SecretStore, StoredCertificate } from "./secret-store.ts";

/** The key by which replicas know what another has made, where each has its certificate from elsewhere. */
export interface SealKey extends Prerequisite {
  /** Of this replica's own until there is a shared one. */
  readonly current: Uint8Array;
}

/** Once it is ready it stays so, and it is where the Secret is gone: nobody can share one then. */
export async function sealKeyFromSecret(store: SecretStore, log: Log): Promise<SealKey> {
  const told = logOnce(log);
  let current = newSealKey();
  let notReady: string | undefined = `waiting for the key in ${store.what}`;

  const refresh = async () => {
    try {
      const { content, secret } = await store.read();
      if (content.sealKey) {
        current = content.sealKey;
        notReady = undefined;
        told.fine(`${store.what} can be used again`);
      } else if (!secret) {
        notReady = undefined;
        told.trouble(new Error(`${store.what} does not exist: ${WITHOUT}`));
      } else if (notReady !== undefined) notReady = `${store.what} holds no seal.key yet`;
    } catch (error) {
      if (notReady !== undefined) notReady = (error as Error).message;
      told.trouble(error);
    }
  };
  await refresh();
  return {
    get current() {
      return current;
    },
    get notReady() {
      return notReady;
    },
    refresh,
  };
}

/** Better than no admission at all. */
const WITHOUT =
  "while controllers are replaced by others, pods may be refused; helm upgrade makes it again";

/** What the one controller that leads does for the others: where the Secret holds no key, it makes one. */
export function keepSealKey(store: SecretStore, log: Log, signal: AbortSignal): Promise<void> {
  const mend = async (stored: StoredCertificate) => {
    if (stored.content.sealKey) return;
    await store.writeSealKey(stored, newSealKey());
    log("info", "the key that controllers share is made", { secret: store.what });
  };
  return keepShared("the key", store, mend, log, signal);
}
