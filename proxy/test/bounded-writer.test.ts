import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BoundedWriter } from "../src/bounded-writer.ts";

test("lines arrive whole and in order", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-writer-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  t.after(() => closeSync(fd));
  const writer = new BoundedWriter(fd, 1 << 20);
  for (let i = 0; i < 1_000; i++) writer.line(`line ${i} é`);
  await writer.flush(5_000);
  assert.equal(
    readFileSync(path, "utf8"),
    Array.from({ length: 1_000 }, (_, i) => `line ${i} é\n`).join(""),
  );
  assert.deepEqual([writer.written, writer.dropped, writer.queuedBytes], [1_000, 0, 0]);
});

test("a pipe that nobody reads fills the queue to its bound and no further; when it is read, what waited arrives", async (t) => {
  const fifo = join(mkdtempSync(join(tmpdir(), "sallyport-writer-")), "pipe");
  t.after(() => rmSync(join(fifo, ".."), { recursive: true }));
  const made = spawn("mkfifo", [fifo]);
  await new Promise((resolve) => made.once("exit", resolve));
  const fd = openSync(fifo, "r+");
  t.after(() => closeSync(fd));
  const writer = new BoundedWriter(fd, 10_000);
  const line = "x".repeat(99);
  for (let i = 0; i < 5_000; i++) {
    writer.line(line);
    assert.ok(writer.queuedBytes <= 10_000);
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(writer.dropped > 3_000, `${writer.dropped} dropped`);
  const cat = spawn("cat", [fifo], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => cat.kill());
  let received = 0;
  cat.stdout.on("data", (chunk) => {
    received += chunk.length;
  });
  await writer.flush(5_000);
  assert.equal(writer.queuedBytes, 0);
  while (received < writer.written * 100)
    await new Promise((resolve) => cat.stdout.once("data", resolve));
  assert.equal(writer.written + writer.dropped, 5_000);
});

test("a descriptor that cannot be written loses lines and says how many", async () => {
  const fd = openSync("/dev/null", "r");
  const writer = new BoundedWriter(fd, 10_000);
  writer.line("one");
  writer.line("two");
  await writer.flush(5_000);
  closeSync(fd);
  assert.deepEqual([writer.written, writer.dropped, writer.queuedBytes], [0, 2, 0]);
});
