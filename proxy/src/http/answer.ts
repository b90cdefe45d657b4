import { type Explanation, explanationJson, formatExplanation } from "@sallyport/core/explanation";
import type { Reason } from "@sallyport/core/reasons";

/** RFC 9110 §15, RFC 6585 §5. */
const PHRASES = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  414: "URI Too Long",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  504: "Gateway Timeout",
} as const;
export type AnswerStatus = keyof typeof PHRASES;

/** The statuses of what is only longer than is taken. */
export function isTooLarge(status: number | undefined): boolean {
  return status === 414 || status === 431;
}

/** What a refusal or a failure is called in HTTP; a Fault knows better and says it itself. */
export function statusOf(reason: Reason): AnswerStatus {
  if (reason === "failed.connect_timeout" || reason === "failed.response_timeout") return 504;
  if (reason.startsWith("failed.")) return 502;
  if (reason === "denied.malformed") return 400;
  if (reason === "denied.too_large") return 431;
  return 403;
}

/**
 * Our own answer, whole, and the last on its connection (RFC 9112 §9.6): what else the app has said there is not heard.
 * To HEAD it has no content, though it says how long it would be (RFC 9110 §9.3.2).
 */
export function answer(
  explanation: Explanation,
  app: { readonly wantsJson?: boolean; readonly method?: string },
  status: AnswerStatus = statusOf(explanation.reason),
): Buffer {
  const body = app.wantsJson ? explanationJson(explanation) : formatExplanation(explanation);
  const head = [
    `HTTP/1.1 ${status} ${PHRASES[status]}`,
    `content-type: ${app.wantsJson ? "application/json" : "text/plain; charset=utf-8"}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-sallyport-reason: ${explanation.reason}`,
    "cache-control: no-store",
    "connection: close",
    "",
    "",
  ].join("\r\n");
  return Buffer.from(app.method === "HEAD" ? head : head + body);
}
