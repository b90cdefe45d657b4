import { type BodyForm, bodyReader } from "../../src/http/message/body.ts";
import type { Fault } from "../../src/http/message/fault.ts";
import { forwardRequest, forwardResponse } from "../../src/http/message/forward.ts";
import type { Framing } from "../../src/http/message/framing.ts";
import { DEFAULT_HEAD_LIMITS, endOfHead } from "../../src/http/message/head-end.ts";
import type { RequestHead, ResponseHead } from "../../src/http/message/message.ts";
import { readRequest } from "../../src/http/message/request-head.ts";
import { type Asked, readResponse } from "../../src/http/message/response-head.ts";

/** One message as the relay reads it and passes it on. */
export interface Relayed<Head> {
  readonly kind: "relayed";
  readonly head: Head;
  /** As it goes on, latin1. */
  readonly sent: string;
  /** What it carries, without its framing. */
  readonly body: string;
  /** What comes after it. */
  readonly rest: string;
}

export type Outcome<Head> = Relayed<Head> | Fault | { readonly kind: "unfinished" };

/** Where `bytes` are cut into the pieces they arrive in: the last byte before each cut. */
export type Cuts = (length: number) => readonly number[];

export const whole: Cuts = () => [];
export const byteByByte: Cuts = (length) => Array.from({ length }, (_, at) => at + 1);

export function relayRequest(bytes: string, cuts: Cuts = whole): Outcome<RequestHead> {
  return relay(bytes, cuts, {
    read: (head) => readRequest(head, DEFAULT_HEAD_LIMITS),
    forward: (head) => forwardRequest(head),
    form: "as_framed",
  });
}

export interface Towards extends Asked {
  readonly close?: boolean;
  readonly clientMinor?: 0 | 1;
}

/** To an app of HTTP/1.0 a chunked body goes bare. */
export function relayResponse(
  bytes: string,
  { close = false, clientMinor = 1, ...to }: Towards = { method: "GET" },
  cuts: Cuts = whole,
): Outcome<ResponseHead> {
  return relay(bytes, cuts, {
    read: (head) => readResponse(head, to, DEFAULT_HEAD_LIMITS),
    forward: (head) => forwardResponse(head, { close, clientMinor, bare: clientMinor === 0 }),
    form: clientMinor === 0 ? "bare" : "as_framed",
  });
}

interface Way<Head> {
  read(head: string): Head | Fault;
  forward(head: Head): string;
  readonly form: BodyForm;
}

function relay<Head extends { kind: string; framing: Framing }>(
  text: string,
  cuts: Cuts,
  { read, forward, form }: Way<Head>,
): Outcome<Head> {
  const bytes = Buffer.from(text, "latin1");
  const headEnd = endFoundIn(bytes, cuts(bytes.length));
  if (headEnd < 0) return { kind: "unfinished" };
  const head = read(bytes.toString("latin1", 0, headEnd));
  if (isFault(head)) return head;
  const onward = throughBody(bytes.subarray(headEnd), cuts, head.framing, form);
  const content = throughBody(bytes.subarray(headEnd), cuts, head.framing, "bare");
  if (onward.kind !== "read" || content.kind !== "read")
    return onward.kind === "read" ? { kind: "unfinished" } : onward;
  const { sent, rest } = onward;
  return { kind: "relayed", head, sent: forward(head) + sent, body: content.sent, rest };
}

function isFault(head: { readonly kind: string } | Fault): head is Fault {
  return head.kind === "fault";
}

/** As whoever has the bytes piece by piece looks for it. */
function endFoundIn(bytes: Buffer, cuts: readonly number[]): number {
  let searched = 0;
  for (const cut of [...cuts, bytes.length]) {
    const end = endOfHead(bytes.subarray(0, cut), Math.max(0, searched - 2));
    if (end >= 0) return end;
    searched = cut;
  }
  return -1;
}

type Body =
  | Fault
  | { readonly kind: "unfinished" }
  | { readonly kind: "read"; readonly sent: string; readonly rest: string };

/** What the connection's end ends has ended with the bytes. */
function throughBody(bytes: Buffer, cuts: Cuts, framing: Framing, form: BodyForm): Body {
  const reader = bodyReader(framing, form);
  let sent = "";
  let at = 0;
  for (const cut of [...cuts(bytes.length), bytes.length]) {
    if (reader.done) break;
    // A piece of its own, as it would be read from a socket: nothing behind it can be looked at.
    const piece = Buffer.from(bytes.subarray(at, cut));
    at += reader.read(piece, 0, (part) => {
      sent += part.toString("latin1");
    });
    if (reader.fault) return reader.fault;
  }
  return reader.done || framing.kind === "until_close"
    ? { kind: "read", sent, rest: bytes.toString("latin1", at) }
    : { kind: "unfinished" };
}
