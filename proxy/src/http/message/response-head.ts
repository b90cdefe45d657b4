import { optionsOf } from "./connection-options.ts";
import { type Fault, fault } from "./fault.ts";
import { readFields } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { framingOf } from "./framing.ts";
import type { HeadLimits } from "./head-end.ts";
import type { ResponseHead } from "./message.ts";
import { RESPONSE_FIELDS, ResponseFields } from "./response-fields.ts";
import { readStatusLine, type StatusLine } from "./status-line.ts";
import { switches } from "./websocket.ts";

/** What of the request an answer depends on. */
export interface Asked {
  readonly method: string;
  readonly webSocketKey?: string | undefined;
}

const NO_BODY: Framing = { kind: "none" };
const UNTIL_CLOSE: Framing = { kind: "until_close" };
const SWITCHING = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** Reads a head, latin1, from its first byte to its empty line: the answer to that, be it final or interim. */
export function readResponse(head: string, to: Asked, limits: HeadLimits): ResponseHead | Fault {
  const line = readStatusLine(head);
  if (line.kind === "fault") return line;
  if (head.length > limits.bytes) return fault(`the head is longer than ${limits.bytes} bytes`);
  const list = readFields(head, line.end, RESPONSE_FIELDS, limits);
  if ("kind" in list) return list;
  const fields = new ResponseFields();
  for (const field of list) {
    const problem = fields.add(field);
    if (problem) return problem;
  }
  return understood(head, line, fields, to);
}

function understood(
  head: string,
  line: StatusLine,
  fields: ResponseFields,
  to: Asked,
): ResponseHead | Fault {
  const { status, minor } = line;
  const said = framingOf(fields.length, fields.coding, minor);
  if (said?.kind === "fault") return said;
  const options = optionsOf(fields.connection);
  if ("kind" in options) return options;
  const isWebSocket = status === SWITCHING;
  if (isWebSocket && !isAsked(line, fields, options, to.webSocketKey))
    return fault("a 101 that is not the answer to a WebSocket handshake");
  const isInterim = status < 200;
  // RFC 9110 §8.6, RFC 9112 §6.1. A length of 0 is only superfluous, and does not go on.
  if (
    (isInterim || status === NO_CONTENT) &&
    said &&
    !(said.kind === "length" && said.length === 0)
  )
    return fault(`a ${status} with a body`);
  // RFC 9112 §6.3: what it says of a length is of another response.
  const isBodiless =
    isInterim || status === NO_CONTENT || status === NOT_MODIFIED || to.method === "HEAD";
  const framing = isBodiless ? NO_BODY : (said ?? UNTIL_CLOSE);
  const ends = framing.kind === "until_close" || options.includes("close");
  return {
    kind: "response",
    status,
    minor,
    framing,
    keepsAlive: minor === 1 && !ends,
    isWebSocket,
    bindsConnection: fields.bindsConnection,
    parts: { raw: head, line, fields, options },
  };
}

function isAsked(
  { minor }: StatusLine,
  { isTwofold, upgrade, accept }: ResponseFields,
  options: readonly string[],
  key: string | undefined,
): boolean {
  if (key === undefined || minor === 0 || isTwofold || !options.includes("upgrade")) return false;
  return switches(upgrade, accept, key);
}
