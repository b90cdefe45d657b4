import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

/** A message as Node's own parser (llhttp) reads it, in its strict mode. */
export interface NodeRead {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

const STRICT = { insecureHTTPParser: false, maxHeaderSize: 65_536 } as const;

/** All requests that Node reads out of `bytes` before it is at the end of them or refuses. */
export async function requestsIn(bytes: string): Promise<readonly NodeRead[]> {
  const read: NodeRead[] = [];
  const server = createServer(STRICT, async (message, response) => {
    const got = await contentOf(message);
    if (got) read.push({ line: `${message.method} ${message.url}`, ...got });
    response.end();
  });
  server.on("clientError", (_, socket) => socket.destroy());
  const [client, connection] = duplexPair();
  const gone = once(connection, "close");
  server.emit("connection", connection);
  client.on("error", () => {}).resume();
  client.end(bytes, "latin1");
  await gone;
  await turn();
  return read;
}

const SURPLUS = "HTTP/1.1 299 Surplus\r\nContent-Length: 7\r\n\r\nsurplus";

/**
 * What Node reads as the final answer to a request, and undefined where it refuses or finds it incomplete. Unless the
 * connection's end ends it, more comes behind it, which must not be taken for a part of it.
 */
export async function responseIn(
  bytes: string,
  method: string,
  untilClose: boolean,
): Promise<NodeRead | undefined> {
  const [server, connection] = duplexPair();
  server.on("error", () => {}).resume();
  const asked = request({ ...STRICT, method, createConnection: () => Object(connection) });
  const answered = new Promise<NodeRead | undefined>((resolve) => {
    const refused = () => resolve(undefined);
    asked.on("error", refused).on("close", refused).on("upgrade", refused);
    asked.on("response", (message) => {
      // From here on it is the message that tells of the end.
      asked
        .off("error", refused)
        .off("close", refused)
        .on("error", () => {});
      const line = `${message.statusCode} ${message.statusMessage}`;
      void contentOf(message).then((got) => resolve(got && { line, ...got }));
    });
  });
  asked.end();
  server.write(bytes, "latin1");
  await turn();
  await turn();
  server.end(untilClose ? "" : SURPLUS);
  const read = await answered;
  asked.destroy();
  return read;
}

async function contentOf(message: IncomingMessage): Promise<Omit<NodeRead, "line"> | undefined> {
  const parts: Buffer[] = [];
  message.on("data", (part) => parts.push(part));
  try {
    await once(message, "end");
  } catch {
    return undefined;
  }
  const { rawHeaders: fields, rawTrailers: trailers, complete } = message;
  return complete ? { fields, trailers, body: Buffer.concat(parts).toString("latin1") } : undefined;
}
