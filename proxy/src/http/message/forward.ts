import type { RequestHead, ResponseHead } from "./message.ts";
import { requestEdits } from "./request-edits.ts";
import { responseEdits } from "./response-edits.ts";

/**
 * The request as it is sent on, latin1: the very head that came, where nothing of it has to change; otherwise without the
 * fields of the app's hop and with our own, names and order kept. Nothing is added that a destination would not have seen
 * without us: no Via, no Forwarded. `host` stands in for the Host's value.
 */
export function forwardRequest(
  head: RequestHead,
  { host }: { readonly host?: string } = {},
): string {
  const { raw, fields } = head.parts;
  const edits = requestEdits(head.parts, head.webSocketKey !== undefined);
  if (host !== undefined && fields.host) {
    const { start } = fields.host;
    edits.replace(fields.host, `${raw.slice(start, raw.indexOf(":", start))}: ${host}\r\n`);
  }
  return edits.applied();
}

export interface ResponseOptions {
  /** The app's connection ends behind this response: it is told so. */
  readonly close: boolean;
  /** The app's version. To HTTP/1.0 no interim response may be sent (RFC 9110 §15.2). */
  readonly clientMinor: 0 | 1;
  /** A chunked body goes on without its chunks (`bodyReader(framing, "bare")`). */
  readonly bare: boolean;
}

/**
 * The response as it is sent on, latin1, in HTTP/1.1 whatever the upstream's and the app's version (RFC 9110 §6.2): the very
 * head that came, where nothing of it has to change.
 */
export function forwardResponse(head: ResponseHead, options: ResponseOptions): string {
  return responseEdits(head.parts, {
    // An interim response says nothing of the end, and 101 has its own options.
    closes: options.close && head.status >= 200,
    isPinned: head.keepsAlive,
    // HTTP/1.0 does not know the field, even where it frames nothing, as in an answer to HEAD (RFC 9112 §6.1).
    isBare: options.bare || options.clientMinor === 0,
  }).applied();
}
