import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Originator } from "../../src/http/originate.ts";

const PATIENCE_MS = 60_000;

test("a handshake that nobody waits for any more ends at once, and its connection with it", async (t) => {
  const silent = createServer().listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const coming = once(silent, "connection") as Promise<[Socket]>;
  const socket = connect(port, "127.0.0.1");
  const [destination] = await coming;
  destination.on("error", () => {}).resume();
  const gone = new AbortController();
  const secured = new Originator([], PATIENCE_MS).wrap(socket, "a.example", port, gone.signal);
  const closed = new Promise((resolve) => destination.once("close", resolve));
  gone.abort();
  const outcome = await secured;
  assert.ok("reason" in outcome);
  assert.equal(outcome.reason, "failed.tls");
  await closed;
});
