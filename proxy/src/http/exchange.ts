import type { Seen, Verdict } from "@sallyport/core/decision";
import type { FailReason } from "@sallyport/core/reasons";
import { bodyReader } from "./message/body.ts";
import type { Fault } from "./message/fault.ts";
import { forwardRequest, forwardResponse } from "./message/forward.ts";
import { endOfHead, type HeadLimits } from "./message/head-end.ts";
import type { BodyReader, RequestHead, ResponseHead } from "./message/message.ts";
import { readResponse } from "./message/response-head.ts";
import { handshakeFailure } from "./tls-failure.ts";
import type { Upstream } from "./upstream.ts";
import type { Wire, WireUser } from "./wire.ts";

/** Why an exchange came to no good end. */
export interface Failure {
  readonly reason: FailReason;
  readonly by: "app" | "upstream" | "sidecar";
  readonly error?: string | undefined;
  /** One clause for people. */
  readonly detail?: string | undefined;
  /** The connection ended before a byte of an answer. */
  readonly isUnanswered?: boolean | undefined;
  /** The app's own: its body cannot be read. */
  readonly fault?: Fault | undefined;
}

/** A request as the app has made it. */
export interface AskedRequest {
  /** From 1 on, on one connection. */
  readonly number: number;
  readonly request: RequestHead;
  readonly seen: Seen;
  readonly startedMs: number;
}

export interface ExchangeEvents {
  /** Request and response are complete. */
  done(exchange: Exchange): void;
  failed(exchange: Exchange, failure: Failure): void;
  /** A real 101: `rest` is what the destination has said after it. */
  upgraded(exchange: Exchange, upstream: Upstream, rest: Buffer): void;
}

/** Interim responses (RFC 9110 §15.2) to one request; more are an attack. */
const MAX_INTERIM = 32;
const NOTHING = Buffer.alloc(0);

/**
 * One request and its response. It reads both as their framing says, and sends on what it has understood: the app's side
 * is given to it by HttpConnection, the upstream's it hears itself for as long as it lasts.
 */
export class Exchange implements WireUser, AskedRequest {
  readonly number: number;
  readonly request: RequestHead;
  readonly seen: Seen;
  readonly startedMs: number;
  verdict: Verdict | undefined;
  upstream: Upstream | undefined;
  response: ResponseHead | undefined;
  /** How long it took to connect, where it was connected for this request. */
  connectMs: number | undefined;
  /** The app's connection ends with this response. */
  isLast: boolean;
  isOver = false;
  /** It is the second try. */
  wasRepeated = false;
  sent = 0;
  received = 0;
  readonly #app: Wire;
  readonly #events: ExchangeEvents;
  readonly #limits: HeadLimits;
  readonly #requestBody: BodyReader;
  #responseBody: BodyReader | undefined;
  #unread: Buffer = NOTHING;
  #searched = 0;
  #interim = 0;
  #isDesynchronised = false;
  /** Answered before the request was complete. */
  #isEarly = false;

  constructor(asked: AskedRequest, app: Wire, events: ExchangeEvents, limits: HeadLimits) {
    const { number, request, seen, startedMs } = asked;
    this.number = number;
    this.request = request;
    this.seen = seen;
    this.startedMs = startedMs;
    this.isLast = !request.keepsAlive;
    this.#app = app;
    this.#events = events;
    this.#limits = limits;
    this.#requestBody = bodyReader(request.framing);
  }

  get requestDone(): boolean {
    return this.#requestBody.done;
  }

  get responseDone(): boolean {
    return this.#responseBody?.done ?? false;
  }

  /** The response has begun for the app: no other can be given. */
  get hasAnswered(): boolean {
    return this.response !== undefined;
  }

  /** Whether the upstream can be spoken to again after this. */
  get leavesUpstreamOpen(): boolean {
    return (
      this.responseDone &&
      this.requestDone &&
      (this.response?.keepsAlive ?? false) &&
      !this.#isDesynchronised &&
      !this.#isEarly &&
      !this.upstream?.wire.hasEnded &&
      !this.upstream?.wire.isGone
    );
  }

  /** Sends the head; the body follows with `fromApp`. */
  start(upstream: Upstream, externalName: string | undefined): void {
    this.upstream = upstream;
    if (upstream.connectMs !== undefined) this.connectMs = upstream.connectMs;
    upstream.connectMs = undefined;
    upstream.wire.user = this;
    const host = externalName && hostOf(externalName, this.request.port);
    this.#sendUp(forwardRequest(this.request, host ? { host } : {}));
  }

  /** Reads on of the request's body, and gives where it ended or `bytes` did. */
  fromApp(bytes: Buffer, at: number): number {
    if (this.#requestBody.done) return at;
    const until = this.#requestBody.read(bytes, at, this.#sendUp);
    const { fault } = this.#requestBody;
    if (fault) {
      this.upstream?.wire.reset();
      this.#fail({ reason: "failed.internal", by: "app", detail: fault.problem, fault });
      return bytes.length;
    }
    if (this.#requestBody.done && this.responseDone) this.#events.done(this);
    return until;
  }

  bytes(chunk: Buffer): void {
    const bytes = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    this.#unread = NOTHING;
    const at = this.#responseBody ? 0 : this.#readHeads(bytes);
    if (at !== undefined && !this.isOver) this.#readBody(bytes, at);
  }

  ended(): void {
    if (this.#responseBody && this.response?.framing.kind === "until_close") {
      this.#responseBody = DONE;
      this.#events.done(this);
    } else if (this.responseDone) {
      // It will not have the rest of the request, and has said all it wants to.
      this.#events.done(this);
    } else this.#cut(undefined);
  }

  drained(): void {
    if (!this.requestDone) this.#app.resume();
  }

  gone(error: NodeJS.ErrnoException | undefined): void {
    if (this.responseDone) this.#events.done(this);
    else this.#cut(error);
  }

  /** Whether it may be asked again on another connection: it changes nothing, and has been answered with nothing. */
  mayRepeat({ isUnanswered = false }: Failure): boolean {
    return isUnanswered && this.mayMeetItsEnd;
  }

  /** It can be asked again, where its upstream ends just now. */
  get mayMeetItsEnd(): boolean {
    return this.request.isRepeatable && !this.wasRepeated;
  }

  /** The same request once more, and not a third time. */
  again(): Exchange {
    const again = new Exchange(this, this.#app, this.#events, this.#limits);
    again.isLast = this.isLast;
    again.verdict = this.verdict;
    again.wasRepeated = true;
    return again;
  }

  /** Nothing that comes from the upstream is for this any more. */
  detach(): void {
    this.isOver = true;
    if (this.upstream?.wire.user === this) this.upstream.wire.user = undefined;
  }

  /** Where the head ended that is the last one; undefined where it is still to come, or cannot be used. */
  #readHeads(bytes: Buffer): number | undefined {
    let at = 0;
    for (;;) {
      const end = endOfHead(bytes, Math.max(at, this.#searched));
      if (end < 0) {
        if (bytes.length - at > this.#limits.bytes) return this.#malformed("its head is too long");
        this.#unread = Buffer.from(bytes.subarray(at));
        this.#searched = Math.max(0, this.#unread.length - 3);
        this.#app.flush();
        return undefined;
      }
      this.#searched = 0;
      const head = readResponse(bytes.toString("latin1", at, end), this.request, this.#limits);
      if (head.kind === "fault") return this.#malformed(head.problem);
      const start = at;
      at = end;
      if (head.status === 101) {
        this.response = head;
        this.#sendDown(forwardResponse(head, { close: false, clientMinor: 1, bare: false }));
        if (this.upstream) this.#events.upgraded(this, this.upstream, bytes.subarray(at));
        return undefined;
      }
      if (head.status >= 200) {
        this.#answer(head, bytes.subarray(start, end));
        return at;
      }
      if (++this.#interim > MAX_INTERIM)
        return this.#malformed("it has too many interim responses");
      if (this.request.minor === 1)
        this.#sendDown(forwardResponse(head, { close: false, clientMinor: 1, bare: false }));
    }
  }

  #answer(head: ResponseHead, bytes: Buffer): void {
    const clientMinor = this.request.minor;
    const bare = clientMinor === 0 && head.framing.kind === "chunked";
    this.response = head;
    if (head.framing.kind === "until_close" || bare) this.isLast = true;
    // Whether the destination takes what is still to come for the body, or for a request of its own, nobody knows; and an app
    // that is told no may never send it.
    if (!this.requestDone) this.isLast = this.#isEarly = true;
    const text = forwardResponse(head, { close: this.isLast, clientMinor, bare });
    // As it came it goes on in one piece with the body behind it.
    this.#sendDown(text === head.parts.raw ? bytes : text);
    this.#responseBody = bodyReader(head.framing, bare ? "bare" : "as_framed");
  }

  #readBody(bytes: Buffer, at: number): void {
    const reader = this.#responseBody;
    if (!reader) return;
    const until = reader.done ? at : reader.read(bytes, at, this.#sendDown);
    if (reader.fault) {
      this.#malformed(reader.fault.problem);
      return;
    }
    if (until < bytes.length) this.#isDesynchronised = true;
    this.#app.flush();
    if (reader.done && (this.requestDone || this.#isDesynchronised)) this.#events.done(this);
    else if (this.#app.isFull) this.upstream?.wire.pause();
  }

  /** It ended before the response did. */
  #cut(error: NodeJS.ErrnoException | undefined): void {
    const begun = this.response !== undefined || this.#interim > 0 || this.#unread.length > 0;
    // With TLS 1.3 the destination says only after the handshake that it did not want this client (RFC 8446 §4.4.2.4).
    if (!begun && error?.code?.startsWith("ERR_SSL")) {
      this.#fail({ ...handshakeFailure(error), by: "upstream" });
      return;
    }
    this.#fail({
      isUnanswered: !begun,
      reason: error ? "failed.reset" : "failed.response",
      by: "upstream",
      error: error?.code,
      detail: begun
        ? "the destination ended the connection in the middle of its response"
        : "the destination ended the connection without a response",
    });
  }

  #malformed(problem: string): undefined {
    this.upstream?.wire.reset();
    this.#fail({
      reason: "failed.response",
      by: "upstream",
      detail: `the response cannot be read: ${problem}`,
    });
    return undefined;
  }

  #fail(failure: Failure): void {
    this.detach();
    this.#events.failed(this, failure);
  }

  readonly #sendUp = (part: Buffer | string): void => {
    this.sent += part.length;
    this.upstream?.wire.send(part);
  };

  readonly #sendDown = (part: Buffer | string): void => {
    this.received += part.length;
    this.#app.send(part);
  };
}

/** The port stays where no scheme has it for its own (RFC 9110 §4.2.1, §4.2.2). */
function hostOf(name: string, port: number | undefined): string {
  return port === undefined || port === 80 || port === 443 ? name : `${name}:${port}`;
}

const DONE: BodyReader = { done: true, fault: undefined, read: (_, at) => at };
