import { createCipheriv, createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, normalize } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { gitBackend } from "./git-backend.ts";

interface Asked {
  readonly pathname: string;
  readonly options: URLSearchParams;
}

type Route = (request: IncomingMessage, response: ServerResponse, asked: Asked) => unknown;

/** What the origin does, by the first step of the path; any other is answered with method, path and host. */
export function routesOf(folder: string): Readonly<Record<string, Route>> {
  return {
    /** As many bytes as asked for, each position different; `unsized`: in chunks. */
    bytes: (_, response, { options }) => {
      const count = Number(options.get("count"));
      if (!options.has("unsized")) response.setHeader("content-length", count);
      return pipeline(Readable.from(stream(count)), response).catch(() => {});
    },
    /** What has come, by its length and hash, and how it was framed. */
    hash: async (request, response) => {
      const { bytes, sha256 } = await hashed(request);
      const { "content-length": length, "transfer-encoding": coding } = request.headers;
      const trailers = Object.entries(request.trailers).map(([name, value]) => `${name}=${value}`);
      response.end(`${[bytes, sha256, coding ?? length ?? "-", ...trailers].join(" ")}\n`);
    },
    /** In two chunks, with a field behind them. */
    trailers: ({ httpVersion }, response) => {
      response.write("first, ");
      if (httpVersion === "1.1") response.addTrailers({ "x-checksum": "42" });
      response.end("second\n");
    },
    /** Files, or parts of them (RFC 9110 §14). */
    files: (request, response, { pathname }) => {
      const path = join(folder, normalize(pathname));
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size === undefined) return response.writeHead(404).end("no such file\n");
      const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
      response.setHeader("accept-ranges", "bytes");
      response.setHeader("content-length", size - Number(from ?? 0));
      if (from) response.writeHead(206, { "content-range": `bytes ${from}-${size - 1}/${size}` });
      return createReadStream(path, { start: Number(from ?? 0) }).pipe(response);
    },
    git: (request, response) => gitBackend(join(folder, "repositories"), request, response),
    /** An event now and then (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
    events: async (_, response, { options }) => {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.flushHeaders();
      for (let i = 1; i <= Number(options.get("count")); i++) {
        await sleep(Number(options.get("gap")));
        response.write(`id: ${i}\ndata: ${Date.now()}\n\n`);
      }
      response.end();
    },
    /** An interim response before the final one (RFC 8297). */
    hints: (_, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.end("hinted\n");
    },
    /** An answer that a wrong one of us would have given. */
    forged: (_, response) => {
      response.writeHead(200, { "x-sallyport-reason": "denied.no_rule", "X-Sallyport-Else": "1" });
      response.end("genuine\n");
    },
    /** These bytes and no more, byte by byte (latin1); then what is to become of the connection. */
    raw: ({ socket }, _, { options }) => {
      socket.write(Buffer.from(options.get("say") ?? "", "latin1"), () => {
        const then = options.get("then");
        if (then === "end") socket.end();
        if (then === "reset") socket.resetAndDestroy();
      });
    },
    /** Refused before its body has been read; that is read then, or, with `close`, reset (RFC 9112 §9.6). */
    early: (request, response, { options }) => {
      if (options.has("close")) response.setHeader("connection", "close");
      response.writeHead(413).end("too large\n");
      request.resume();
    },
  };
}

function* stream(count: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 16);
  for (let left = count; left > 0; left -= zeros.length)
    yield cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
}

async function hashed(body: Readable): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}
