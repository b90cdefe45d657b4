import type { Allowed, Verdict } from "@sallyport/core/decision";
import { answer } from "./answer.ts";
import { Course, type CourseEvents } from "./course.ts";
import { Exchange, type ExchangeEvents, type Failure } from "./exchange.ts";
import type { HttpMeans } from "./http-means.ts";
import { Inbox } from "./inbox.ts";
import type { Fault } from "./message/fault.ts";
import type { RequestHead } from "./message/message.ts";
import * as own from "./own-ending.ts";
import { Patience } from "./patience.ts";
import { PinnedUpstream } from "./pinned-upstream.ts";
import { seenIn } from "./seen.ts";
import type { Told } from "./told.ts";
import { type TunnelEnd, type Tunnelled, tunnel } from "./tunnel.ts";
import type { Upstream } from "./upstream.ts";
import type { Wire, WireUser } from "./wire.ts";

/**
 * An app's connection over which it speaks HTTP: one request after the other, each read (`#next`), judged and
 * sent where it may go (`Course`), answered (`Exchange`) and recorded (`#over`). What it says ahead of its turn waits.
 */
export class HttpConnection implements WireUser, CourseEvents, ExchangeEvents {
  readonly #app: Wire;
  readonly #means: HttpMeans;
  readonly #startedMs: number;
  readonly #patience: Patience;
  readonly #upstream: PinnedUpstream;
  readonly #inbox: Inbox;
  readonly #course: Course;
  #count = 0;
  #exchange: Exchange | undefined;
  #isClosing = false;
  #isRetiring = false;
  #cutAs: "drain" | "revoked" | "timeout" | undefined;
  /** What a tunnel has moved, where there is one. */
  #tunnelled: (() => Tunnelled) | undefined;

  constructor(app: Wire, means: HttpMeans) {
    this.#app = app;
    this.#means = means;
    this.#startedMs = means.now();
    this.#patience = new Patience(means.limits.patience, "head", this.#startedMs);
    this.#inbox = new Inbox(means.limits.head);
    this.#upstream = new PinnedUpstream(means.upstreams, () => this.#upstreamEnded());
    this.#course = new Course(means, this.#upstream, this);
    app.user = this;
  }

  /** How many have been begun. */
  get requests(): number {
    return this.#count;
  }

  get current(): Exchange | undefined {
    return this.#exchange;
  }

  get sent(): number {
    return this.#app.received;
  }

  get received(): number {
    return this.#app.sent;
  }

  // What the app does.

  bytes(chunk: Buffer): void {
    if (this.#isClosing) return;
    const exchange = this.#exchange;
    const until = exchange?.upstream ? this.#giveBody(exchange, chunk) : 0;
    if (until < chunk.length && !this.#isClosing) {
      this.#inbox.add(until === 0 ? chunk : chunk.subarray(until));
      // What is more than this one request, or than the app has heard the answers to, waits in the kernel.
      if (this.#exchange || this.#app.isFull) this.#app.pause();
      else this.#next();
    }
    this.#inbox.keep();
  }

  ended(): void {
    const exchange = this.#exchange;
    if (!exchange) this.#next();
    else if (exchange.responseDone) this.#satisfied(exchange);
    else if (exchange.upstream && !exchange.requestDone) this.#appGone(undefined);
  }

  drained(): void {
    if (this.#exchange) this.#exchange.upstream?.wire.resume();
    else if (!this.#isClosing) this.#next();
  }

  broken(): void {
    this.#app.close();
  }

  gone(error: NodeJS.ErrnoException | undefined): void {
    this.#course.abandon();
    this.#appGone(error);
    this.#isClosing = true;
    this.#upstream.leave();
    this.#means.closed();
  }

  // What becomes of the request under way.

  leads(exchange: Exchange, verdict: Allowed, upstream: Upstream): void {
    const { seen } = exchange;
    this.#upstream.pin(upstream, { policy: this.#means.policy(), seen, verdict });
    exchange.verdict = verdict;
    upstream.wire.resume();
    exchange.start(upstream, verdict.externalName);
    // What follows a WebSocket handshake is no request, if it succeeds.
    if (exchange.request.webSocketKey === undefined && this.#inbox.length > 0) {
      const unread = this.#inbox.take();
      const until = this.#giveBody(exchange, unread);
      if (until < unread.length && !this.#isClosing) this.#inbox.add(unread.subarray(until));
    } else upstream.wire.flush();
    if (exchange.requestDone || exchange.isOver) return;
    if (this.#app.hasEnded) this.#appGone(undefined);
    else if (!upstream.wire.isFull) this.#app.resume();
  }

  /** Tells the app, where it has been told nothing yet; a response that has begun must not look complete. */
  ends(exchange: Exchange, { told, explanation, status }: own.OwnEnding): void {
    if (exchange.hasAnswered) {
      this.#over(exchange, told);
      this.#app.reset();
    } else {
      this.#over(exchange, { ...told, status });
      this.#say(answer(explanation, exchange.request, status));
    }
  }

  lost(): void {
    this.#app.reset();
  }

  done(exchange: Exchange): void {
    const { request, response, requestDone, leavesUpstreamOpen } = exchange;
    this.#app.flush();
    this.#over(exchange, { by: "upstream", how: "end" });
    const upstream = this.#upstream.current;
    if (leavesUpstreamOpen && upstream) {
      upstream.used = true;
      upstream.bound ||= request.bindsConnection || response?.bindsConnection === true;
      this.#upstream.rest();
    } else this.#upstream.drop();
    if (exchange.isLast || !requestDone) this.#finish();
    else this.#next();
  }

  failed(exchange: Exchange, failure: Failure): void {
    const upstream = this.#upstream.lose();
    upstream?.wire.close();
    const { verdict } = exchange;
    if (failure.fault) this.ends(exchange, own.faulty(this.#means, failure.fault));
    else if (upstream?.used && exchange.mayRepeat(failure) && verdict?.verdict === "allow")
      this.#repeat(exchange);
    else this.#fail(exchange, { ...failure, dialled: upstream?.address });
  }

  upgraded(exchange: Exchange, upstream: Upstream, rest: Buffer): void {
    const unread = this.#inbox.take();
    this.#patience.wait("tunnel", this.#means.now());
    const ended = (end: TunnelEnd) => this.#tunnelEnded(exchange, end);
    this.#tunnelled = tunnel(this.#app, upstream.wire, ended);
    this.#app.send(rest);
    upstream.wire.send(unread);
    this.#app.flush();
    upstream.wire.flush();
    if (this.#app.hasEnded) upstream.wire.end();
  }

  // What others ask of it.

  /** Ends what has waited for too long. */
  tick(nowMs: number): void {
    const { connectionMs } = this.#means.limits;
    if (connectionMs > 0 && nowMs - this.#startedMs >= connectionMs) this.retire();
    const expired = this.#patience.expired(nowMs, this.#app.received + this.#app.sent);
    if (expired) this.#timedOut();
  }

  /** Ends after the request under way, at once where there is none. */
  retire(): void {
    this.#isRetiring = true;
    if (this.#exchange) this.#exchange.isLast = true;
    else if (!this.#isClosing && this.#inbox.length === 0 && this.#count > 0) this.#finish();
  }

  /**
   * A newer policy is in force. `refusalOf` gives why it refuses what was dialled, if it does: then what is under way ends.
   * What comes next is judged when it comes.
   */
  async reconsider(refusalOf: own.RefusalOf): Promise<void> {
    const exchange = this.#exchange;
    this.#upstream.doubt();
    if (!exchange) this.#upstream.drop();
    const upstream = exchange?.upstream;
    if (!exchange || !upstream) return;
    const denied = await refusalOf(upstream);
    if (!denied || exchange.isOver) return;
    this.#cutAs = "revoked";
    upstream.wire.reset();
    this.#upstream.lose();
    this.ends(exchange, own.revoked(this.#means, exchange.seen, denied));
  }

  /** Others are trusted now: what they have not verified carries no other request. */
  distrust(): void {
    if (this.#upstream.isTrusted) return;
    this.#upstream.doubt();
    if (!this.#exchange) this.#upstream.drop();
  }

  /** Resets it, whatever is under way. */
  cut(): void {
    this.#cutAs ??= "drain";
    this.#app.reset();
  }

  // One request after the other.

  #next(): void {
    while (!this.#exchange && !this.#isClosing && !this.#app.isFull) {
      const head = this.#inbox.takeHead();
      if (head?.kind === "fault") this.#refuseFault(head);
      else if (head) this.#begin(head);
      else {
        this.#awaitMore();
        return;
      }
    }
  }

  /** The next head is not complete. */
  #awaitMore(): void {
    const { length } = this.#inbox;
    if (length > 0 && this.#app.hasEnded) this.#refuseFault(own.unfinished(length, "ended"));
    else if (this.#app.hasEnded || (length === 0 && this.#isRetiring)) this.#finish();
    else {
      if (this.#patience.waits !== "head")
        this.#patience.wait(length > 0 ? "head" : "idle", this.#means.now());
      this.#app.resume();
    }
  }

  #begin(request: RequestHead): void {
    const { limits, port, now } = this.#means;
    const startedMs = now();
    const asked = { number: ++this.#count, request, seen: seenIn(request, port), startedMs };
    const exchange = new Exchange(asked, this.#app, this, limits.head);
    exchange.isLast ||= this.#isRetiring;
    this.#exchange = exchange;
    this.#patience.wait("exchange", startedMs);
    this.#course.set(exchange);
  }

  /** Gives where the body ended, or `bytes` did. */
  #giveBody(exchange: Exchange, bytes: Buffer): number {
    const until = exchange.fromApp(bytes, 0);
    const wire = exchange.upstream?.wire;
    wire?.flush();
    if (wire?.isFull && !exchange.requestDone) this.#app.pause();
    return until;
  }

  /** RFC 9112 §9.3.1: an idle connection may close as a request is sent on it. What may be is asked once more. */
  #repeat(failed: Exchange): void {
    const again = failed.again();
    this.#exchange = again;
    this.#course.set(again);
  }

  // Ends of requests, and of the connection.

  #refuseFault(fault: Fault, status?: 408): void {
    const { told, explanation, status: answered } = own.faulty(this.#means, fault, status);
    const { reason } = told;
    this.#means.record({
      ...{ number: ++this.#count, startedMs: this.#means.now(), sent: 0, received: 0 },
      ...{ seen: { protocol: "http", malformed: fault.problem }, status: answered },
      ...(reason?.startsWith("denied.") && { verdict: { verdict: "deny", reason } as Verdict }),
      ...told,
    });
    this.#say(answer(explanation, {}, answered));
  }

  #fail(exchange: Exchange, failure: own.FailedThere): void {
    this.ends(exchange, own.failedThere(this.#means, exchange.seen, failure));
  }

  #appGone(error: NodeJS.ErrnoException | undefined): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    if (exchange.upstream) this.#upstream.lose()?.wire.reset();
    else this.#upstream.leave();
    exchange.upstream?.wire.reset();
    const by = this.#cutAs ? "sidecar" : "app";
    this.#over(exchange, { by, how: this.#cutAs ?? "reset", error: error?.code });
    this.#app.reset();
  }

  /** It has had its answer, and keeps the rest of its request to itself. */
  #satisfied(exchange: Exchange): void {
    this.#upstream.lose();
    exchange.upstream?.wire.reset();
    this.#over(exchange, { by: "app", how: "end" });
    this.#finish();
  }

  #tunnelEnded(exchange: Exchange, end: TunnelEnd): void {
    this.#upstream.lose();
    const cut = this.#cutAs && ({ by: "sidecar", how: this.#cutAs } as const);
    if (this.#exchange === exchange) this.#over(exchange, { ...end, ...cut });
    this.gone(undefined);
  }

  #timedOut(): void {
    const exchange = this.#exchange;
    const { waits } = this.#patience;
    const { length } = this.#inbox;
    if (waits === "idle" || (waits === "head" && length === 0)) this.#finish();
    else if (waits === "head") this.#refuseFault(own.unfinished(length, "stopped"), 408);
    else if (waits === "exchange" && exchange) {
      const upstream = this.#upstream.lose();
      upstream?.wire.reset();
      const ms = this.#means.limits.patience.exchange;
      const failure = own.silent(ms, this.#whoIsSilent(exchange));
      this.#fail(exchange, { ...failure, dialled: upstream?.address });
    } else if (waits === "linger") {
      // An app that is slow to read may take its time, as in an exchange.
      if (this.#app.isFlushed) this.#app.close();
      else this.#patience.wait("exchange", this.#means.now());
    } else {
      this.#cutAs ??= "timeout";
      this.#app.reset();
    }
  }

  #whoIsSilent(exchange: Exchange): own.Silent {
    if (this.#app.isFull) return "app_reads";
    return exchange.upstream !== undefined && !exchange.requestDone ? "app_sends" : "destination";
  }

  /** Records it; there is none under way any more. */
  #over(exchange: Exchange, told: Partial<Told> & Pick<Told, "by" | "how">): void {
    const { number, startedMs, request, seen, verdict } = exchange;
    const { sent, received, upstream, connectMs, wasRepeated } = exchange;
    const tunnelled = this.#tunnelled?.();
    exchange.detach();
    this.#exchange = undefined;
    this.#means.record({
      ...{ number, startedMs, request, seen, verdict },
      ...{ status: exchange.response?.status, dialled: upstream?.address },
      sent: sent + (tunnelled?.sent ?? 0),
      received: received + (tunnelled?.received ?? 0),
      ...{ connectMs, wasRepeated },
      ...told,
    });
  }

  /** The last that is said here; what the app still says is read and dropped, for a while (RFC 9112 §9.6). */
  #say(bytes: Buffer): void {
    this.#app.send(bytes);
    this.#finish();
  }

  /** Closes in order; what is still to be read goes on being delivered by the kernel. */
  #finish(): void {
    this.#isClosing = true;
    this.#inbox.take();
    this.#upstream.leave();
    this.#patience.wait("linger", this.#means.now());
    this.#app.end();
    this.#app.resume();
  }

  /** While nothing was asked: the app's connection ends as well. */
  #upstreamEnded(): void {
    if (!this.#exchange && this.#inbox.length === 0 && !this.#isClosing) this.#finish();
  }
}
