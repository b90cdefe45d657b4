import type { Seen } from "@sallyport/core/decision";
import type { Explanation } from "@sallyport/core/explain";
import { ACCESS_DENIED } from "./sniff/alert.ts";

/**
 * What a refused app is told, in the language it speaks: a TLS alert, a response that says why and what would permit it;
 * undefined where only a reset is left.
 */
export function refusalFor(seen: Seen | undefined, explanation: Explanation): Buffer | undefined {
  switch (seen?.protocol) {
    case "tls":
      return ACCESS_DENIED;
    case "http":
      return forbidden(explanation);
    default:
      return undefined;
  }
}

/** RFC 9110 §15.5.4, closing the connection (RFC 9112 §9.6): what else the app would ask is not heard. */
function forbidden({ egressRule, ...explanation }: Explanation): Buffer {
  const body = `${JSON.stringify({ ...explanation, ...(egressRule && { egress_rule: egressRule }) }, undefined, 2)}\n`;
  return Buffer.from(
    [
      "HTTP/1.1 403 Forbidden",
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-sallyport-reason: ${explanation.reason}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
