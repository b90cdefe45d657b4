import { DELIVERY_PATH, DELIVERY_PROTOCOL } from "@sallyport/core/delivery";

/** Of the answer's head, and of what a refusal says after it. */
export const HEAD_BYTES = 16 << 10;

export function upgradeRequest(host: string, port: number, token: string): string {
  return [
    `GET ${DELIVERY_PATH} HTTP/1.1`,
    `host: ${host}:${port}`,
    "connection: Upgrade",
    `upgrade: ${DELIVERY_PROTOCOL}`,
    `authorization: Bearer ${token}`,
    "\r\n",
  ].join("\r\n");
}

export interface AnswerHead {
  readonly status: number;
  /** By their names in small letters. */
  readonly fields: ReadonlyMap<string, string>;
  /** What came after it. */
  readonly rest: Buffer;
}

/** `more` where it is not whole yet; undefined where it is no answer of HTTP/1.1. */
export function readAnswerHead(bytes: Buffer): AnswerHead | "more" | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length > HEAD_BYTES ? undefined : "more";
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    fields.set(name.toLowerCase(), value);
  }
  return { status: Number(status), fields, rest: bytes.subarray(end + 4) };
}

/** Whether the server speaks the stream's protocol from here on. */
export function isUpgraded({ status, fields }: AnswerHead): boolean {
  return status === 101 && fields.get("upgrade")?.toLowerCase() === DELIVERY_PROTOCOL;
}

/** In seconds (RFC 9110 §10.2.3); a date there counts as nothing said. */
export function retryAfterMs({ fields }: AnswerHead): number | undefined {
  const seconds = /^\d{1,6}$/.exec(fields.get("retry-after") ?? "")?.[0];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
