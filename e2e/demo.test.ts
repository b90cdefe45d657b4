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

/** The whole demo, once for all who look at what it says. */
let played: ReturnType<typeof run> | undefined;
function play() {
  played ??= run();
  return played;
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
  const { stdout, status } = await play();
  assert.equal(status, 0, stdout);
  assert.match(stdout, /All 26 attempts went as they should/);
  assert.doesNotMatch(stdout, /^NO /m);
  assert.match(stdout, /^ok {2}rule removed: that connection +ECONNRESET$/m);
  assert.deepEqual(leftovers(), []);
});

test("two requests of one connection, an alias and TLS for the app are told as they were", async () => {
  const { stdout } = await play();
  const [, connection] =
    /^ok {2}allowed URL +tcp \S+ +(\d+)\.1 +api\.example\.com /m.exec(stdout) ?? [];
  assert.ok(connection, stdout);
  const second = new RegExp(`same connection +tcp \\S+ +${connection}\\.2 +evil\\.example +denied`);
  assert.match(stdout, second);
  assert.match(stdout, / partner = partner\.example\.net +allowed\.rule /);
  assert.match(stdout, / secure\.example\.com +allowed\.rule +93\.184\.216\.50, TLS +answered /);
});

test("the app was told why in a text: the rule that would permit it, and the check that failed", async () => {
  const { stdout } = await play();
  const refused = /^sallyport: denied\.no_rule$[\s\S]*?^ {4}- hosts: \["evil\.example"\]$/m;
  assert.match(stdout, refused);
  assert.match(stdout, /^sallyport: failed\.tls_verify$/m);
  assert.match(
    stdout,
    /the certificate is for another\.example\.com; .*its issuer "demo world CA /,
  );
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
