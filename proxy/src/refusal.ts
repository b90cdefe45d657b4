import type { Explanation } from "@sallyport/core/explanation";
import type { OpenConnection } from "./connection.ts";
import { answer } from "./http/answer.ts";
import { ACCESS_DENIED } from "./sniff/alert.ts";
import { goAway } from "./sniff/http2.ts";

/**
 * What a refused app is told, in the language it speaks: a TLS alert, a response that says why and what would permit it;
 * undefined where only a reset is left.
 */
export function refusalFor(
  { seen, request, answerAs }: Pick<OpenConnection, "seen" | "request" | "answerAs">,
  explanation: Explanation,
): Buffer | undefined {
  switch (seen?.protocol) {
    case "tls":
      return ACCESS_DENIED;
    case "http":
      return answer(explanation, request ?? {}, answerAs);
    case "http2":
      return goAway(explanation.message);
    default:
      return undefined;
  }
}
