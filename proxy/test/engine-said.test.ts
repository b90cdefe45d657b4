import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import type { Inbound } from "../src/engine.ts";
import { EngineBed, readAll } from "./support/engine-bed.ts";

const show = ({ engine, upstreamPort }: EngineBed, { id }: Inbound) =>
  engine.relay(id, ["127.0.0.1"], upstreamPort, 2_000, true);

test("what the app says first is shown once, by the time it is answered, and relayed unchanged", async (t) => {
  const bed = await EngineBed.open(t, { verdict: show });
  const app = await bed.connect();
  app.write("hello");
  assert.equal(String((await once(app, "data"))[0]), "hello");
  app.write(" again");
  assert.equal(String((await once(app, "data"))[0]), " again");
  app.end();
  await bed.ends(1);
  assert.deepEqual(bed.said, [[bed.accepted[0]?.id, Buffer.from("hello")]]);
});

test("of a long beginning the first 16 KiB are shown, and all of it arrives", async (t) => {
  const bed = await EngineBed.open(t, { verdict: show });
  const all = randomBytes(1 << 20);
  const app = await bed.connect();
  const received = readAll(app);
  app.end(all);
  assert.ok((await received).equals(all));
  await bed.ends(1);
  const [[, bytes] = [0, Buffer.alloc(0)], ...more] = bed.said;
  assert.deepEqual(more, []);
  assert.ok(bytes.length > 0 && bytes.length <= 16 << 10);
  assert.ok(bytes.equals(all.subarray(0, bytes.length)));
});

test("it is never shown after the end, nor where nobody asked or the app said nothing", async (t) => {
  const bed = await EngineBed.open(t, {
    verdict: (bed, inbound) =>
      bed.accepted.length === 1 ? bed.relay(inbound.id) : show(bed, inbound),
  });
  const unasked = await bed.connect();
  unasked.write("unasked");
  await once(unasked, "data");
  const silent = await bed.connect();
  silent.end();
  await readAll(silent);
  assert.equal(bed.said.length, 0);
  for (let i = 0; i < 50; i++) {
    const app = await bed.connect();
    app.write("hello", () => app.resetAndDestroy());
  }
  await bed.ends(51);
  const atTheEnd = bed.said.length;
  await bed.engine.report();
  assert.equal(bed.said.length, atTheEnd);
  assert.ok(bed.said.every(([, bytes]) => String(bytes) === "hello"));
});
