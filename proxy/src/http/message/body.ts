import { ChunkedBody } from "./chunked.ts";
import type { Framing } from "./framing.ts";
import type { BodyReader } from "./message.ts";

/** `bare`: without its chunks and trailers, for an app that speaks HTTP/1.0, to which the connection's end ends the body. */
export type BodyForm = "as_framed" | "bare";

/** A reader of the one body that a head announces (RFC 9112 §6.3). */
export function bodyReader(framing: Framing, form: BodyForm = "as_framed"): BodyReader {
  switch (framing.kind) {
    case "none":
      return EMPTY;
    case "length":
      return new MeasuredBody(framing.length);
    case "chunked":
      return new ChunkedBody(form);
    case "until_close":
      return new MeasuredBody(Number.POSITIVE_INFINITY);
  }
}

const EMPTY: BodyReader = { read: (_, at) => at, done: true, fault: undefined };

/** A body of so many bytes; of infinitely many where the connection's end ends it, and then never done by itself. */
class MeasuredBody implements BodyReader {
  readonly fault = undefined;
  #missing: number;

  constructor(length: number) {
    this.#missing = length;
  }

  get done(): boolean {
    return this.#missing === 0;
  }

  read(bytes: Buffer, at: number, send: (part: Buffer) => void): number {
    const end = Math.min(bytes.length, at + this.#missing);
    if (end === at) return at;
    this.#missing -= end - at;
    send(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }
}
