import assert from "node:assert/strict";
import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { splitCommand } from "../cli/src/demo/command.ts";

const MAIN = join(import.meta.dirname, "../cli/src/main.ts");

function start(...args: string[]) {
  const options: SpawnOptions = { stdio: ["ignore", "pipe", "pipe"] };
  return spawn(process.execPath, [MAIN, "demo", ...args], options);
}

async function run(...args: string[]) {
  const child = start(...args);
  assert.ok(child.stdout && child.stderr);
  const [stdout, stderr, [status]] = await Promise.all([
    ...[text(child.stdout), text(child.stderr)],
    once(child, "close"),
  ] as const);
  return { stdout, stderr, status };
}

/** Namespaces and their processes end with the demo by construction; a folder would stay. */
function leftovers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("sallyport-demo-"));
}

for (const [argv, options, command] of [
  [["curl", "-v", "http://api.example.com/"], [], ["curl", "-v", "http://api.example.com/"]],
  [["--", "curl", "-v"], [], ["curl", "-v"]],
  [
    ["--programs", "dist", "sh", "-c", "x"],
    ["--programs", "dist"],
    ["sh", "-c", "x"],
  ],
  [["--help"], ["--help"], []],
  [[], [], []],
] as const)
  test(`demo ${argv.join(" ")}: the command is "${command.join(" ")}"`, () => {
    assert.deepEqual(splitCommand(argv), { options: [...options], command: [...command] });
  });

test("every attempt of the demo goes as its table says, and nothing is left behind", async () => {
  const { stdout, status } = await run();
  assert.equal(status, 0, stdout);
  assert.match(stdout, /All 21 attempts went as they should/);
  assert.match(stdout, /"reason": "denied.no_rule"/);
  assert.doesNotMatch(stdout, /^NO /m);
  assert.match(stdout, /^ok {2}rule removed: that connection +ECONNRESET$/m);
  assert.deepEqual(leftovers(), []);
});

test("a command of the user's runs inside the pod, and its exit status is the demo's", async () => {
  const script = "cat /etc/resolv.conf; ip -o address show eth0; exit 7";
  const { stdout, status } = await run("sh", "-c", script);
  assert.equal(status, 7, stdout);
  assert.match(stdout, /nameserver 192\.0\.2\.53/);
  assert.match(stdout, /10\.10\.0\.2/);
});

test("an interrupt ends the demo as an interrupt, without complaint, and leaves nothing behind", async () => {
  const child = start();
  assert.ok(child.stdout && child.stderr);
  const complaints = text(child.stderr);
  for await (const chunk of child.stdout) if (String(chunk).includes("admission")) break;
  child.kill("SIGINT");
  const [status, signal] = await once(child, "exit");
  assert.deepEqual([status, signal], [null, "SIGINT"]);
  assert.equal(await complaints, "");
  assert.deepEqual(leftovers(), []);
});
