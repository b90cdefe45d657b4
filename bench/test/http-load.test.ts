import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { compileHttp } from "../src/http/stage.ts";
import { said } from "../src/measure.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-http-load-"));
after(() => rmSync(folder, { recursive: true }));
const { load, server } = compileHttp(folder);

const BODY = "abcdefghijklmnop".repeat(7).slice(0, 100);
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await promisify(probe.close.bind(probe))();
  return port;
}

async function ask(mode: string, port: number, rate = 0, connections = 4): Promise<string> {
  const args = [mode, `127.0.0.1:${port}`, String(connections), String(rate), "100", "100"];
  const { stdout } = await promisify(execFile)(load, args, { timeout: 10_000 });
  return stdout;
}

/** What the load says of a far end that answers every request so. */
async function complaintAbout(answer: (app: Socket) => void, mode = "get"): Promise<string> {
  const liar = createServer((app) => {
    app.on("data", () => answer(app));
    app.on("error", () => {}); // the load has given up
  }).listen(0, "127.0.0.1");
  await once(liar, "listening");
  try {
    await ask(mode, (liar.address() as AddressInfo).port);
    return "";
  } catch (error) {
    return (error as { stderr: string }).stderr.trim();
  } finally {
    liar.close();
  }
}

test("every kind of exchange goes well between the two ends", async () => {
  const port = await freePort();
  const origin = spawn(server, [String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await said(origin, /ready/);
    for (const mode of ["get", "post", "close", "down", "up"])
      assert.ok(JSON.parse(await ask(mode, port)).count > 0, mode);
    const { count, p50Us, p99Us } = JSON.parse(await ask("get", port, 1_000));
    assert.equal(count, 100);
    assert.ok(p50Us > 0 && p99Us >= p50Us);
  } finally {
    origin.kill("SIGKILL");
  }
});

test("a question that no connection is free for is counted from when it was due", async () => {
  const slow = createServer((app) => {
    app.on("data", () => setTimeout(() => app.write(HEAD + BODY), 20));
    app.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  try {
    // One connection answers 50 a second and is asked 100: the last of ten waits for most of the ten before it.
    const { p50Us, p99Us } = JSON.parse(
      await ask("get", (slow.address() as AddressInfo).port, 100, 1),
    );
    assert.ok(p50Us > 40_000, `${p50Us}`);
    assert.ok(p99Us > 90_000, `${p99Us}`);
  } finally {
    slow.close();
  }
});

for (const [what, answer, complaint] of [
  ["another status", "HTTP/1.1 502 Bad Gateway\r\n\r\n", /begins: HTTP\/1\.1 502 Bad Gateway/],
  ["no length", `HTTP/1.1 200 OK\r\n\r\n${BODY}`, /another length, or none/],
  ["another length", HEAD.replace("100", "99") + BODY, /another length, or none/],
  ["two lengths", HEAD.replace("\r\n\r\n", "\r\nContent-Length: 100\r\n\r\n") + BODY, /a second/],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", /has a Transfer-Encoding/],
  ["another body", HEAD + BODY.replace("b", "B"), /another body/],
  ["more than its body", `${HEAD}${BODY}!`, /more came than the response's body/],
  ["an end of the connection", HEAD.replace("\r\n", "\r\nConnection: close\r\n"), /ends the conn/],
] as const)
  test(`a response with ${what} ends the load`, async () => {
    assert.match(await complaintAbout((app) => app.write(answer)), complaint);
  });

test("a connection that ends before its response ends the load", async () => {
  const cut = (app: Socket) => app.end(HEAD + BODY.slice(0, 50));
  assert.match(await complaintAbout(cut), /ended before its response/);
});

test("a large body with one wrong byte ends the load", async () => {
  const body = Buffer.alloc(1 << 20, "abcdefghijklmnop");
  body[1_000_000] = 0;
  const head = HEAD.replace("100", String(body.length));
  const wrong = (app: Socket) => app.write(Buffer.concat([Buffer.from(head), body]));
  assert.match(await complaintAbout(wrong, "down"), /another body/);
});

for (const [what, request] of [
  ["another Host", "GET /small HTTP/1.1\r\nHost: example.com\r\n\r\n"],
  ["no Host, or two", "GET /small HTTP/1.1\r\n\r\n"],
  ["another target", "GET / HTTP/1.1\r\nHost: bench.sallyport.test\r\n\r\n"],
  ["another length", "POST /small HTTP/1.1\r\nHost: bench.sallyport.test\r\n\r\n"],
  [
    "another body",
    "POST /small HTTP/1.1\r\nHost: bench.sallyport.test\r\nContent-Length: 100\r\n\r\nz",
  ],
] as const)
  test(`the origin refuses a request with ${what}, and says so`, async () => {
    const port = await freePort();
    const origin = spawn(server, [String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await said(origin, /ready/);
      const reply = await fetchRaw(port, request);
      assert.match(reply, new RegExp(`^HTTP/1\\.1 400 The request has ${what}\r\n`));
    } finally {
      origin.kill("SIGKILL");
    }
  });

async function fetchRaw(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(request);
  let reply = "";
  for await (const chunk of socket) reply += chunk;
  return reply;
}
