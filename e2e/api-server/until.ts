import { setTimeout as delay } from "node:timers/promises";

/** Asks until it is so; fails with what was found last. For what an API can only be asked. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  isSo: (found: T) => boolean,
  seconds = 60,
): Promise<T> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await ask();
    if (isSo(found)) return found;
    if (performance.now() > end)
      throw new Error(`${what}: not within ${seconds} s, but ${JSON.stringify(found)}`);
    await delay(100);
  }
}
