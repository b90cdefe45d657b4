import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** RFC 6455 §5.5.1. */
const CLOSE = 0x8;
/** RFC 6455 §5.3. */
const MASK_BYTES = 4;

/**
 * A WebSocket server of the smallest kind (RFC 6455): says each frame again, and ends with the one that closes. It reads
 * frames of less than 126 bytes, each in a segment of its own.
 */
export function echoWebSocket({ headers }: IncomingMessage, socket: Duplex): void {
  socket.on("error", () => {});
  socket.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${hash("sha1", `${headers["sec-websocket-key"]}${GUID}`, "base64")}`,
      "\r\n",
    ].join("\r\n"),
  );
  socket.on("data", (frame: Buffer) => {
    const mask = frame.subarray(2, 2 + MASK_BYTES);
    const payload = frame
      .subarray(2 + MASK_BYTES)
      .map((byte, i) => byte ^ (mask[i % MASK_BYTES] ?? 0));
    socket.write(Buffer.concat([Buffer.from([frame[0] ?? 0, payload.length]), payload]));
    if (((frame[0] ?? 0) & 0xf) === CLOSE) socket.end();
  });
}
