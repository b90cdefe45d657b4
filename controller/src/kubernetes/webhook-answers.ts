import { request } from "node:https";
import type { WebhookEntry } from "./webhook-changes.ts";

const TIMEOUT_MS = 3_000;

/**
 * Is a controller that is ready reached where this entry sends the API server, with a certificate that its caBundle
 * verifies? Undefined, or what stands in the way.
 */
export function webhookAnswers({ clientConfig }: WebhookEntry): Promise<string | undefined> {
  const { caBundle, url, service } = clientConfig;
  const origin =
    url ?? `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}`;
  const target = new URL("/readyz", origin);
  return new Promise((resolve) => {
    const call = request(target, {
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // As the API server does: without a caBundle the system's authorities are asked.
      ...(caBundle && { ca: Buffer.from(caBundle, "base64") }),
    });
    call.on("error", ({ message }) => resolve(`${target} does not answer: ${message}`));
    call.on("response", (response) => {
      response.resume();
      const { statusCode } = response;
      resolve(statusCode === 200 ? undefined : `${target} answers with status ${statusCode}`);
    });
    call.end();
  });
}
