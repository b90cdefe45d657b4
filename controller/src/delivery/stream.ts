import type { Duplex } from "node:stream";
import type { SidecarLine } from "@sallyport/core/delivery";
import { LineReader } from "@sallyport/core/line-reader";
import type { Compiled, PodRef, Snapshots } from "../rules/snapshots.ts";
import { Allowance } from "./allowance.ts";
import type { Claims } from "./claims.ts";
import { BEAT, bytesOf, lineOf, SCHEMAS_TEXT, schemaFor, snapshotLine } from "./encode.ts";
import { ENDS, type EndCode, type Figures } from "./figures.ts";
import type { ConnectedSidecar } from "./fleet.ts";
import type { Limits } from "./limits.ts";
import type { Listeners } from "./listeners.ts";
import { nextLine, type Version } from "./next-line.ts";
import { Outbox } from "./outbox.ts";
import type { Reviewer } from "./reviewer.ts";
import { readSidecarLine } from "./sidecar-line.ts";
import { type Accepted, Standing } from "./standing.ts";

/** What all streams of a controller have in common. */
export interface StreamWorld {
  readonly snapshots: Snapshots;
  readonly reviewer: Reviewer;
  readonly figures: Figures;
  readonly listeners: Listeners;
  readonly limits: Limits;
  readonly claims: Claims;
  /** Once, when the stream has ended. */
  readonly ended: (stream: Stream, code: EndCode, why: string) => void;
  /** Once, when nothing is left of it. */
  readonly closed: (stream: Stream) => void;
  readonly trouble: (pod: PodRef, message: string, problem: string) => void;
}

/**
 * The way of a stream: hello → catch up with what the sidecar has → send, and whenever something has changed and the last
 * snapshot is answered, send the newest. It has no timers of its own: `look` is called every second.
 */
export class Stream implements ConnectedSidecar {
  readonly pod: PodRef;
  readonly connectedMs = Date.now();
  version = "";
  sent: Compiled | undefined;
  applied: Compiled | undefined;
  problem: string | undefined;

  readonly #world: StreamWorld;
  readonly #socket: Duplex;
  readonly #outbox: Outbox;
  readonly #reader: LineReader;
  readonly #standing: Standing;
  #state: "hello" | "behind" | "open" | "ended" = "hello";
  /** What the sidecar has, or is being sent: nothing below is sent unless the API server has gone back. */
  #have: Version | undefined;
  /** And that is what was closed: then the next of it is for it, too. */
  #hasClosed = false;
  #rewound = false;
  /** The snapshot that the sidecar has not answered. */
  #unanswered: { readonly compiled: Compiled; readonly sinceMs: number } | undefined;
  #unsubscribe: (() => void) | undefined;
  #againMs = Number.POSITIVE_INFINITY;
  #heardMs = performance.now();
  #openedMs = this.#heardMs;
  readonly #allowance: Allowance;
  #endedMs = 0;

  constructor(socket: Duplex, accepted: Accepted, token: string, world: StreamWorld) {
    this.pod = accepted.pod;
    this.#world = world;
    this.#socket = socket;
    const { bytesPerSecond, burstBytes, lineBytes, againMs } = world.limits;
    const onLost = (why: string) => this.end("token", why);
    this.#standing = new Standing(accepted, token, { reviewer: world.reviewer, againMs, onLost });
    this.#allowance = new Allowance(bytesPerSecond, burstBytes, this.#openedMs);
    this.#reader = new LineReader(lineBytes);
    this.#outbox = new Outbox(socket, () => this.#settle());
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("end", () => this.#over("closed"));
    socket.on("close", () => {
      this.#over("closed");
      world.closed(this);
    });
  }

  /** With a last line where the sidecar reads. */
  end(code: EndCode, why: string = ENDS[code]): void {
    if (this.#state === "ended") return;
    const clean = !this.#outbox.busy;
    this.#over(code, why, !clean);
    if (clean) this.#socket.end(lineOf({ type: "end", why }));
  }

  /** Keeps what is promised by the clock. */
  look(nowMs: number) {
    const { limits } = this.#world;
    if (this.#state === "ended") {
      if (nowMs - this.#endedMs > limits.endMs) this.#socket.destroy();
      return;
    }
    if (this.#state === "hello" && nowMs - this.#openedMs > limits.helloMs)
      return this.end("silent", `no hello within ${limits.helloMs} ms`);
    if (nowMs - this.#heardMs > limits.silentMs) return this.end("silent");
    if (this.#outbox.busy && nowMs - this.#outbox.progressMs > limits.stalledMs)
      return this.end("slow");
    if (this.#unanswered && nowMs - this.#unanswered.sinceMs > limits.answerMs)
      return this.end("slow", "the sidecar has not said what became of its snapshot");
    this.#standing.look(nowMs);
    if (nowMs >= this.#againMs) void this.#catchUp();
    this.#allow(nowMs);
    if (!this.#outbox.busy && nowMs - this.#outbox.progressMs > limits.beatMs - 2 * limits.wheelMs)
      this.#outbox.send(BEAT);
  }

  destroy() {
    this.#socket.destroy();
  }

  #over(code: EndCode, why: string = ENDS[code], cut = true): void {
    if (this.#state !== "ended") {
      this.#state = "ended";
      this.#endedMs = performance.now();
      this.#unsubscribe?.();
      this.#world.ended(this, code, why);
    }
    if (cut) this.#socket.destroy();
  }

  #read(bytes: Buffer) {
    // Whatever comes after our last line is read to its end, and not taken up.
    if (this.#state === "ended") return;
    this.#heardMs = performance.now();
    this.#world.figures.receivedBytes += bytes.length;
    this.#allowance.take(bytes.length);
    if (this.#allowance.spent) this.#socket.pause();
    const lines = this.#reader.read(bytes);
    if (lines === "too long")
      return this.end("malformed", `a line of more than ${this.#world.limits.lineBytes} bytes`);
    for (const each of lines) {
      if ((this.#state as string) === "ended") return;
      const line = readSidecarLine(each);
      if (line instanceof Error) return this.end("malformed", line.message);
      if (line) this.#take(line);
    }
  }

  /** Who says more than its share is read later. */
  #allow(nowMs: number): void {
    this.#allowance.refill(nowMs);
    // It is we who do not listen.
    if (this.#allowance.spent) this.#heardMs = nowMs;
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #take(line: SidecarLine) {
    if ((line.type === "hello") !== (this.#state === "hello"))
      return this.end("malformed", `expected hello first, and once: ${line.type}`);
    if (line.type === "hello") this.#greet(line);
    else if (line.type === "applied") this.#answered(line.revision, undefined);
    else if (line.type === "rejected") this.#answered(line.revision, line.problem);
    else if (line.type === "token") this.#standing.token = line.token;
    else if (line.type === "report")
      this.#world.listeners.tell("reported", this.pod, line.rows, line.others);
  }

  #greet({ version, schemas, have }: Extract<SidecarLine, { type: "hello" }>) {
    if (schemaFor(schemas) === undefined)
      return this.end(
        "no_schema",
        `the sidecar knows the snapshot schemas ${schemas.join(", ")}, and this controller compiles to ${SCHEMAS_TEXT}: update the older of them`,
      );
    this.version = version;
    this.#have = have;
    this.#state = "behind";
    this.#unsubscribe = this.#world.snapshots.subscribe(this.pod, () => this.#settle());
    this.#world.listeners.tell("changed", this.pod);
    if (have) void this.#catchUp();
    else this.#caughtUp(false);
  }

  async #catchUp(): Promise<void> {
    const { snapshots, claims } = this.#world;
    this.#state = "behind";
    this.#againMs =
      (this.#isAhead() && claims.waitsUntilMs(this.pod.uid)) || Number.POSITIVE_INFINITY;
    if (Number.isFinite(this.#againMs)) return;
    try {
      const { rewound } = await snapshots.catchUp(this.pod, this.#have?.basis);
      if (rewound) claims.untrue(this.pod.uid, performance.now());
      this.#caughtUp(rewound);
    } catch (error) {
      // The sidecar keeps what it has; so does the stream, for the API server will be back.
      const problem = (error as Error).message;
      this.#world.trouble(this.pod, "cannot catch up with what a sidecar has", problem);
      this.#againMs = performance.now() + this.#world.limits.againMs;
    }
  }

  /** Whether the sidecar has what this controller does not know of. */
  #isAhead(): boolean {
    const { compiled, closed } = this.#world.snapshots.of(this.pod) ?? {};
    const newest = compiled ?? closed;
    return newest !== undefined && nextLine(this.#have, newest, false) === "behind";
  }

  #caughtUp(rewound: boolean): void {
    if (this.#state !== "behind") return;
    this.#state = "open";
    this.#rewound = rewound;
    this.#settle(true);
  }

  /** Sends what is newest, if that is another than the sidecar has, and it has taken and answered what it was sent. */
  #settle(justCaughtUp = false) {
    if (this.#state !== "open" || this.#outbox.busy || this.#unanswered) return;
    const found = this.#world.snapshots.of(this.pod);
    if (!found) return this.end("gone");
    const compiled = found.compiled ?? this.#forWhomNothingElseIs(found.closed);
    if (!compiled) return;
    const next = nextLine(this.#have, compiled, this.#rewound);
    if (next !== "behind") this.#hasClosed = compiled !== found.compiled;
    if (next === "snapshot") this.#send(compiled);
    else if (next === "nothing new") this.#same(compiled);
    else if (!justCaughtUp) void this.#catchUp();
    else {
      this.#state = "behind";
      this.#againMs = performance.now() + this.#world.limits.behindMs;
    }
  }

  /** A sidecar keeps what it has, but for what was closed. */
  #forWhomNothingElseIs(closed: Compiled | undefined): Compiled | undefined {
    const { revision } = this.#have ?? {};
    const isForIt = revision === undefined || this.#hasClosed || revision === closed?.revision;
    return isForIt ? closed : undefined;
  }

  #same(compiled: Compiled): void {
    const first = this.sent === undefined;
    const others = this.sent?.origins !== compiled.origins;
    this.sent = compiled;
    if (this.problem === undefined) this.applied = compiled;
    if (first) {
      const { revision, basis } = compiled;
      this.#have = { revision, basis };
      this.#world.figures.current++;
      this.#write(lineOf({ type: "current", revision, basis }));
    }
    if (others) this.#world.listeners.tell("changed", this.pod);
  }

  #send(compiled: Compiled) {
    const line = snapshotLine(compiled, this.#rewound);
    this.#rewound = false;
    this.sent = compiled;
    this.#have = { revision: compiled.revision, basis: compiled.basis };
    const bytes = bytesOf(line);
    const { snapshotBytes } = this.#world.limits;
    if (bytes > snapshotBytes) return this.#unusable(tooLarge(bytes, snapshotBytes));
    this.#unanswered = { compiled, sinceMs: performance.now() };
    this.#world.figures.snapshotsSent++;
    this.#write(...line);
  }

  #write(...line: Buffer[]): void {
    this.#world.figures.sentBytes += bytesOf(line);
    this.#outbox.send(...line);
  }

  #answered(revision: string, problem: string | undefined): void {
    const { compiled } = this.#unanswered ?? {};
    if (compiled?.revision !== revision) return;
    this.#unanswered = undefined;
    if (problem === undefined) {
      this.problem = undefined;
      this.applied = compiled;
      this.#world.listeners.tell("changed", this.pod);
    } else this.#unusable(problem);
    this.#settle();
  }

  /** It keeps what it has applied, until there is another. */
  #unusable(problem: string): void {
    this.problem = problem;
    this.#world.figures.rejected++;
    this.#world.trouble(this.pod, "a sidecar cannot use its snapshot", problem);
    this.#world.listeners.tell("changed", this.pod);
  }
}

function tooLarge(bytes: number, most: number): string {
  return `its policy is ${bytes} bytes long, and a sidecar takes ${most}: fewer rules, boundaries or entries have to be for this pod`;
}
