import { fstatSync, write } from "node:fs";
import { Socket } from "node:net";

/** Takes a chunk whole, sooner or later, and then says so: undefined, or why it could not. One at a time. */
export type Sink = (chunk: Buffer, done: (error: Error | undefined) => void) => void;

/**
 * Neither way to write to a standard stream can be trusted with a pipe that nobody reads: process.stdout blocks the whole
 * process (Node's documentation of `process.stdout`, "A note on process I/O"), and a write left to libuv's thread pool
 * blocks the exit, which joins the pool (`uv__threadpool_cleanup`). A pipe or a socket is therefore written without
 * blocking; a file cannot stall.
 */
export function openSink(fd: number): Sink {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() ? streamSink(fd) : fileSink(fd);
}

function streamSink(fd: number): Sink {
  const stream = new Socket({ fd, readable: false, writable: true });
  // Told to each write, too.
  stream.on("error", () => {});
  return (chunk, done) => stream.write(chunk, (error) => done(error ?? undefined));
}

function fileSink(fd: number): Sink {
  const writeAll: Sink = (chunk, done) =>
    write(fd, chunk, (error, count) => {
      if (error || count === chunk.length) done(error ?? undefined);
      else writeAll(chunk.subarray(count), done);
    });
  return writeAll;
}
