import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** RFC 6455 §5.2. */
const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What it closes with of itself (RFC 6455 §7.4.2: an application's own). */
export const CLOSED_BY_SERVER = 4_001;

interface Frame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
  /** What is behind it. */
  readonly rest: Buffer;
}

/**
 * A WebSocket server (RFC 6455) for one connection: it says every frame again. Below /greeting it speaks first, in one
 * segment with the 101; the text `close` makes it close with CLOSED_BY_SERVER, `reset` reset the connection.
 */
export function acceptWebSocket({ headers, url }: IncomingMessage, socket: Socket, head: Buffer) {
  const key = headers["sec-websocket-key"];
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  const answer = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    "\r\n",
  ].join("\r\n");
  const greeting = url?.startsWith("/greeting") ? frameOf(OPCODE.text, Buffer.from("welcome")) : "";
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.write(Buffer.concat([Buffer.from(answer), Buffer.from(greeting)]));
  let hasClosed = false;
  const reply = ({ opcode, isLast, payload }: Frame): void => {
    const text = opcode === OPCODE.text ? payload.toString() : "";
    if (opcode === OPCODE.close) socket.end(hasClosed ? "" : frameOf(OPCODE.close, payload));
    else if (opcode === OPCODE.ping) socket.write(frameOf(OPCODE.pong, payload));
    else if (text === "reset") socket.resetAndDestroy();
    else if (text === "close") {
      hasClosed = true;
      socket.write(
        frameOf(OPCODE.close, Buffer.from([CLOSED_BY_SERVER >> 8, CLOSED_BY_SERVER & 255])),
      );
    } else socket.write(frameOf(opcode, payload, isLast));
  };
  let unread = head;
  const read = (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    for (let frame = readFrame(unread); frame; frame = readFrame(unread)) {
      unread = frame.rest;
      reply(frame);
    }
  };
  socket.on("data", read);
  read(Buffer.alloc(0));
}

function frameOf(opcode: number, payload: Buffer, isLast = true): Buffer {
  const first = (isLast ? 0x80 : 0) | opcode;
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  // The shortest form is demanded where two bytes are enough.
  if (payload.length > 0xffff) return Buffer.concat([head, payload]);
  head.writeUInt8(126, 1);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head.subarray(0, 4), payload]);
}

/** Undefined until it is whole. */
function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const start = 2 + lengthBytes + 4;
  if (bytes.length < start) return undefined;
  const length =
    short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short === 126
        ? bytes.readUInt16BE(2)
        : short;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return {
    opcode: first & 0x0f,
    isLast: first >= 0x80,
    payload,
    rest: bytes.subarray(start + length),
  };
}
