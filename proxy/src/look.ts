import type { Seen } from "@sallyport/core/decision";
import type { Asked, OpenConnection } from "./connection.ts";
import type { Engine, Head } from "./engine.ts";
import { type AnswerStatus, isTooLarge } from "./http/answer.ts";
import type { HeadLimits } from "./http/message/head-end.ts";
import { seenIn } from "./http/seen.ts";
import { MAX_HEAD, type Sniff, sniff } from "./sniff/sniff.ts";

/** How long an app may take, in ms: to say anything, and from then on to finish its beginning. */
export interface Patience {
  readonly silentMs: number;
  readonly unfinishedMs: number;
}

export interface Sight {
  readonly seen: Seen;
  readonly request?: Asked | undefined;
  readonly answerAs?: AnswerStatus | undefined;
}

/** Looks at what an app says first, without taking it, until it is clear what it is. Undefined when the connection is gone. */
export async function look(
  engine: Engine,
  id: number,
  port: number,
  { silentMs, unfinishedMs }: Patience,
  limits: HeadLimits,
  now: () => number,
): Promise<Sight | undefined> {
  let head = await engine.peek(id, 0, silentMs);
  const until = now() + unfinishedMs;
  while (head) {
    const sniffed = sniff(head.bytes, limits);
    if (sniffed.kind !== "more" || isLast(head)) return sightOf(sniffed, head, port);
    const seen = Math.max(head.bytes.length, sniffed.needs - 1);
    head = await engine.peek(id, seen, Math.max(1, until - now()));
  }
  return undefined;
}

function isLast({ bytes, ended, timedOut }: Head): boolean {
  return ended || timedOut || bytes.length >= MAX_HEAD;
}

/** Where it is clear at once what the app has begun to say, the connection has it from now on. */
export function note(
  connection: OpenConnection,
  head: Pick<Head, "bytes" | "ended">,
  limits: HeadLimits,
): void {
  const sniffed = sniff(head.bytes, limits);
  if (sniffed.kind === "more") return;
  const { seen, request, answerAs } = sightOf(sniffed, head, connection.destination.port);
  connection.seen = seen;
  connection.request = request;
  connection.answerAs = answerAs;
}

/** What first bytes show, be they all there will be or not. */
function sightOf(sniffed: Sniff, head: Pick<Head, "bytes" | "ended">, port: number): Sight {
  switch (sniffed.kind) {
    case "tls":
      return {
        seen: { protocol: "tls", name: sniffed.serverName, invalidName: sniffed.invalidName },
      };
    case "http": {
      const { host, hostPort, invalidHost, method, path, wantsJson } = sniffed;
      return {
        seen: seenIn({ name: host, invalidName: invalidHost, port: hostPort }, port),
        request: { method, path, wantsJson },
      };
    }
    case "http2":
    case "opaque":
      return { seen: { protocol: sniffed.kind } };
    case "malformed":
      return {
        seen: {
          ...{ protocol: sniffed.protocol, malformed: sniffed.problem },
          isTooLarge: isTooLarge(sniffed.status),
        },
        answerAs: sniffed.status,
      };
    case "more":
      if (head.bytes.length === 0) return { seen: { protocol: "silent" } };
      if (!sniffed.protocol) return { seen: { protocol: "opaque" } };
      return unfinishedSight(sniffed.protocol, head);
  }
}

function unfinishedSight(protocol: "tls" | "http", head: Pick<Head, "bytes" | "ended">): Sight {
  const answerAs = head.bytes.length >= MAX_HEAD ? 431 : 408;
  const seen: Seen = { protocol, malformed: unfinished(head), isTooLarge: answerAs === 431 };
  return protocol === "http" ? { seen, answerAs } : { seen };
}

function unfinished({ bytes, ended }: Pick<Head, "bytes" | "ended">): string {
  if (bytes.length >= MAX_HEAD) return `it is longer than ${MAX_HEAD} bytes`;
  return `${ended ? "it ended" : "it stopped"} after ${bytes.length} bytes, unfinished`;
}
