import type { Prerequisite } from "../certificate-source.ts";
import type { Log } from "../log.ts";
import { hasStatus } from "./api-error.ts";
import { newSealKey } from "./certificate-content.ts";
import { logOnce } from "./log-once.ts";
import { pause } from "./pause.ts";
import type { SecretStore } from "./secret-store.ts";

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

const LOOK_MS = { most: 10_000, again: 1_000 } as const;

/** What the one controller that leads does for the others: where the Secret holds no key, it makes one. */
export async function keepSealKey(store: SecretStore, log: Log, signal: AbortSignal) {
  const told = logOnce(log);
  while (!signal.aborted) {
    let forMs: number = LOOK_MS.most;
    try {
      const stored = await store.read();
      if (!stored.content.sealKey) {
        await store.writeSealKey(stored, newSealKey());
        log("info", "the key that controllers share is made", { secret: store.what });
      }
      told.fine(`${store.what} is kept again`);
    } catch (error) {
      // Written by somebody else meanwhile: the next look shows what.
      if (!hasStatus(error, 409)) told.trouble(error);
      forMs = LOOK_MS.again;
    }
    await pause(forMs, signal);
  }
}
