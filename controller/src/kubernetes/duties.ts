import { createBell } from "./bell.ts";
import type { CertificateKeeper } from "./certificate-keeper.ts";
import { pause } from "./pause.ts";
import type { Kept, WebhookConfigurations } from "./webhook-configurations.ts";

const LOOK_MS = {
  most: 10_000, // even where nothing tells of a change
  least: 1_000, // however much changes
  again: 2_000, // while something is not as it should be
} as const;

/**
 * What the one controller that leads does about what all of them serve and who trusts it, until the signal is given.
 * Without a `certificate` it comes from elsewhere, and so does the caBundle; without `webhooks` there are none to keep.
 */
export async function keepServing(
  certificate: CertificateKeeper | undefined,
  webhooks: WebhookConfigurations | undefined,
  signal: AbortSignal,
): Promise<void> {
  const bell = createBell();
  webhooks?.watch(bell.ring, signal);
  while (!signal.aborted) {
    const began = performance.now();
    const forMs = (await certificate?.look()) ?? LOOK_MS.most;
    if (signal.aborted) return;
    const { trusted, guarding } = await everybody(certificate, webhooks);
    certificate?.note(trusted);
    const good = trusted && guarding;
    await bell.sleep(good ? Math.min(forMs, LOOK_MS.most) : LOOK_MS.again, signal);
    await pause(began + LOOK_MS.least - performance.now(), signal);
  }
}

async function everybody(
  certificate: CertificateKeeper | undefined,
  webhooks: WebhookConfigurations | undefined,
): Promise<Kept> {
  const authorities = certificate?.authorities();
  // Nothing can be trusted before there is something.
  if (certificate && authorities === undefined) return { trusted: false, guarding: false };
  return (await webhooks?.keep(authorities)) ?? { trusted: true, guarding: true };
}
