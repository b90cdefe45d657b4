import { type Fault, fault, quoted } from "./fault.ts";
import type { BodyReader } from "./message.ts";
import { CR, LF } from "./octets.ts";
import { TRAILER_LIMITS, trailersFault } from "./trailers.ts";

const ZERO = 0x30;
const SEMICOLON = 0x3b;
const NO_DIGIT = 255;
/** The value of each byte that is a hexadecimal digit. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? NO_DIGIT : digit;
});
/** RFC 9112 §7.1.1 asks for a limit. Real ones have a few bytes, where there are any. */
const MAX_EXTENSION = 256;
/** As many digits as 64 bits have: more of them, zeros included, overflow somewhere. */
const MAX_DIGITS = 16;

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const QUOTED =
  '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
/** RFC 9112 §7.1.1, without the white space that only bad senders write. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)+$`);

/** What the next byte belongs to. */
const SIZE_BEGIN = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS_BEGIN = 7;
const LAST_LF = 8;
const TRAILERS = 9;
const OVER = 10;

const ZERO_SIZE = Buffer.from("0");

type Send = (part: Buffer) => void;

/**
 * A chunked body (RFC 9112 §7.1), of which just the grammar is let pass: what is left of it goes on as it came, in one piece
 * for each piece that comes and without a copy. Left out are extensions, which every recipient ignores (§7.1.1), and leading
 * zeros. Trailers go on once all of them have come.
 */
export class ChunkedBody implements BodyReader {
  fault: Fault | undefined;
  readonly #isBare: boolean;
  #state = SIZE_BEGIN;
  /** The chunk's size, then what is still missing of it. */
  #size = 0;
  #digits = 0;
  /** A zero ended the bytes at hand, and was left out: without more digits it is the size. */
  #owesZero = false;
  /** The extension, or the trailers, as far as they have come. */
  #text = "";

  constructor(form: "as_framed" | "bare") {
    this.#isBare = form === "bare";
  }

  get done(): boolean {
    return this.#state === OVER;
  }

  read(bytes: Buffer, start: number, send: Send): number {
    const give = this.#isBare ? () => {} : send;
    let at = start;
    /** From here on everything up to `at` goes on as it came. */
    let kept = start;
    const keepUpTo = (end: number) => {
      if (end > kept) give(bytes.subarray(kept, end));
    };
    while (at < bytes.length && this.#state !== OVER && !this.fault) {
      const byte = bytes[at] ?? 0;
      switch (this.#state) {
        case SIZE_BEGIN:
        case SIZE: {
          const digit = HEX[byte] ?? NO_DIGIT;
          if (this.#owesZero) {
            if (digit === NO_DIGIT) give(ZERO_SIZE);
            this.#owesZero = false;
          }
          if (digit === NO_DIGIT) {
            if (byte === SEMICOLON) keepUpTo(at);
            this.#sizeEnds(byte);
          } else {
            this.#takeDigit(digit);
            if (this.#size === 0 && HEX[bytes[at + 1] ?? ZERO] !== NO_DIGIT) {
              keepUpTo(at);
              kept = at + 1;
              this.#owesZero = kept === bytes.length;
            }
          }
          at++;
          break;
        }
        case EXTENSION:
          if (byte === CR) {
            kept = at;
            this.#extensionEnds();
          } else this.#takeExtension(byte);
          at++;
          break;
        case SIZE_LF:
          this.#expect(byte, LF, "behind a chunk's size", this.#size === 0 ? TRAILERS_BEGIN : DATA);
          at++;
          break;
        case DATA: {
          const end = Math.min(bytes.length, at + this.#size);
          if (this.#isBare) send(bytes.subarray(at, end));
          this.#size -= end - at;
          at = end;
          if (this.#size === 0) this.#state = DATA_CR;
          break;
        }
        case DATA_CR:
          this.#expect(byte, CR, "behind a chunk's data", DATA_LF);
          at++;
          break;
        case DATA_LF:
          this.#digits = 0;
          this.#expect(byte, LF, "behind a chunk's data", SIZE_BEGIN);
          at++;
          break;
        case TRAILERS_BEGIN:
          if (byte === CR) {
            this.#state = LAST_LF;
            at++;
          } else {
            keepUpTo(at);
            this.#text = "";
            this.#state = TRAILERS;
          }
          break;
        case LAST_LF:
          this.#expect(byte, LF, "at the end of a chunked body", OVER);
          at++;
          break;
        case TRAILERS:
          at = kept = this.#takeTrailers(bytes, at);
          if (this.done) give(Buffer.from(this.#text, "latin1"));
          break;
      }
    }
    const isHeldBack = this.#state === EXTENSION || this.#state === TRAILERS;
    if (!this.fault && !isHeldBack) keepUpTo(at);
    return at;
  }

  #takeDigit(digit: number): void {
    this.#size = this.#size * 16 + digit;
    this.#digits++;
    this.#state = SIZE;
    if (this.#digits > MAX_DIGITS || this.#size > Number.MAX_SAFE_INTEGER)
      this.fault = fault(`a chunk's size of more than ${MAX_DIGITS} digits or 2^53 - 1 bytes`);
  }

  #sizeEnds(byte: number): void {
    if (this.#digits > 0 && byte === CR) this.#state = SIZE_LF;
    else if (this.#digits > 0 && byte === SEMICOLON) {
      this.#text = ";";
      this.#state = EXTENSION;
    } else this.fault = fault(`${shown(byte)} where a chunk's size should stand`);
  }

  #takeExtension(byte: number): void {
    this.#text += String.fromCharCode(byte);
    if (byte === LF) this.fault = fault("a bare LF in a chunk's extension");
    else if (this.#text.length > MAX_EXTENSION)
      this.fault = fault(`a chunk's extension is longer than ${MAX_EXTENSION} bytes`);
  }

  #extensionEnds(): void {
    this.#state = SIZE_LF;
    if (!EXTENSIONS.test(this.#text)) this.fault = fault(`not an extension: ${quoted(this.#text)}`);
  }

  #expect(byte: number, expected: number, where: string, next: number): void {
    if (byte === expected) this.#state = next;
    else this.fault = fault(`${shown(byte)} ${where}, where a CRLF should stand`);
  }

  /** Up to the end of a line, or of the bytes; gives where that is. */
  #takeTrailers(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LF, at);
    const end = lineEnd < 0 ? bytes.length : lineEnd + 1;
    const { bytes: most } = TRAILER_LIMITS;
    this.#text += bytes.toString("latin1", at, Math.min(end, at + most + 1));
    if (this.#text.length > most) this.fault = fault(`trailers of more than ${most} bytes`, 431);
    else if (lineEnd >= 0 && /(?:^|\n)\r?\n$/.test(this.#text.slice(-3))) {
      this.fault = trailersFault(this.#text);
      if (!this.fault) this.#state = OVER;
    }
    return end;
  }
}

function shown(byte: number): string {
  return quoted(String.fromCharCode(byte));
}
