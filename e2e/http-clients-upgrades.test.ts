import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DecisionRecord } from "@sallyport/core/record";
import { Bed } from "./clients/bed.ts";
import { curl } from "./clients/http-curl.ts";
import { Origin, valuesOf } from "./clients/http-origin.ts";
import { assertRequests, lineOf } from "./clients/http-records.ts";
import { CLOSED_BY_SERVER } from "./clients/http-websocket.ts";
import { lacking } from "./clients/programs.ts";

/** What stays open after its first answer: WebSockets, and events from a server. */
const WEB = "93.184.216.10";
const bed = await Bed.open(
  { after },
  {
    rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] }] },
    zone: { "*.example.com": { A: [WEB] }, "www.partner.net": { A: [WEB] } },
  },
);
const origin = await Origin.start(bed);
const source = (name: string) => join(import.meta.dirname, "clients", name);

async function webSocket(host: string, how: string): Promise<readonly string[]> {
  const argv = [process.execPath, source("http-websocket-client.ts"), host, how];
  const { status, stdout, stderr } = await bed.run(argv);
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split("\n");
}

/** Its one record. */
async function recordOf(name: string): Promise<DecisionRecord> {
  const [record, ...more] = await bed.recordsOf(name);
  assert.ok(record);
  assert.deepEqual(more, []);
  return record;
}

describe("a WebSocket of Node's own", () => {
  test("hears all that it says, small, large and empty, and closes", async () => {
    const name = "echo.example.com";
    assert.deepEqual(await webSocket(name, "echo"), [
      ...["text 1 a", "text 70000 bbbbbbbbbb", "binary 3000000 true", "text 0 "],
      "close 4000 true",
    ]);
    const record = await recordOf(name);
    assert.equal(lineOf(record), "GET /echo 101");
    assert.deepEqual([record.reason, record.closed_how], ["allowed.rule", "end"]);
    assert.ok(record.bytes_sent > 3_070_000 && record.bytes_received > 3_070_000);
  });

  test("is spoken to first, in one segment with the answer to its handshake", async () => {
    const name = "greeting.example.com";
    assert.deepEqual(await webSocket(name, "greeted"), ["text 7 welcome", "close 4000 true"]);
    assert.equal(lineOf(await recordOf(name)), "GET /greeting 101");
  });

  test("is closed by the server, whose code it hears", async () => {
    const name = "closed.example.com";
    assert.deepEqual(await webSocket(name, "closed"), [`close ${CLOSED_BY_SERVER} true`]);
    assert.equal((await recordOf(name)).closed_how, "end");
  });

  test("is reset by the server, and does not take that for an orderly end", async () => {
    const name = "reset.example.com";
    assert.deepEqual(await webSocket(name, "reset"), ["close 1006 false"]);
    const { closed_by, closed_how } = await recordOf(name);
    assert.deepEqual([closed_by, closed_how], ["upstream", "reset"]);
  });

  test("does not open where no rule permits it", async () => {
    const name = "www.partner.net";
    assert.deepEqual(await webSocket(name, "echo"), ["close 1006 false"]);
    const { reason, status } = await recordOf(name);
    assert.deepEqual([reason, status], ["denied.no_rule", 403]);
    assert.equal(origin.arrivedAt(name).length, 0);
  });
});

test("Python's websockets echo, ping and close", {
  skip: lacking("python3", "/usr/lib/python3/dist-packages/websockets"),
}, async () => {
  const name = "websockets.example.com";
  const { status, stdout, stderr } = await bed.run([
    ...["/usr/bin/python3", source("http_websockets.py"), name],
  ]);
  assert.deepEqual([status, stdout], [0, "4\n1000000\npong\npong\npong\n1000\n"], stderr);
  assert.equal(lineOf(await recordOf(name)), "GET /echo 101");
});

test("any other protocol to go on in is not offered to the destination", {
  skip: lacking("curl"),
}, async () => {
  const name = "other.example.com";
  const headers = ["--header", "Upgrade: tls/1.0", "--header", "Connection: Upgrade"];
  const { status } = await curl(bed, ...headers, `http://${name}/`);
  assert.equal(status, 200);
  const [arrived] = origin.arrivedAt(name);
  assert.ok(arrived);
  assert.deepEqual(valuesOf(arrived, "upgrade"), []);
});

test("events from a server come as they are sent, over seconds with nothing between them", async () => {
  const name = "events.example.com";
  const url = `http://${name}/events?count=4&gap=700`;
  const argv = [process.execPath, source("http-events-client.ts"), url];
  const { stdout, stderr } = await bed.run(argv);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.pop(), "end", stderr);
  assert.equal(lines.length, 4);
  // Each alone: what waited for the next would be 700 ms under way.
  for (const ms of lines) assert.ok(Number(ms) < 350, stdout);
  await assertRequests(bed, name, ["GET /events 200"]);
});
