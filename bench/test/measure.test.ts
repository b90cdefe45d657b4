import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { said } from "../src/measure.ts";

const run = (command: string, ...args: string[]) => spawn(command, args, { stdio: "pipe" });

test("a program is waited for until it has said the word", async () => {
  const child = run("echo", "it is ready");
  await said(child, /ready/);
});

test("one that ends without the word is told of, with what it said", async () => {
  const child = run("sh", "-c", "echo no such port; exit 3");
  await assert.rejects(said(child, /ready/), /^Error: it ended with 3: no such port/);
});

test("one that never says it is not waited for without end", async () => {
  const child = run("sleep", "60");
  await assert.rejects(said(child, /ready/, 20), /has not said .ready. within 20 ms/);
  child.kill();
  await once(child, "exit");
});
