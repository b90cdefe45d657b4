import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again; an error says what was waited for in vain. */
export async function until(
  what: string | (() => string),
  holds: () => Promise<boolean>,
  seconds = 60,
): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      const told = typeof what === "string" ? what : what();
      throw new Error(`not within ${seconds} s: ${told}`);
    }
    await sleep(100);
  }
}
