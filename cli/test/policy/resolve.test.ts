import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { decode, encode } from "dns-packet";
import { Bed, RULES } from "./bed.ts";

const bed = new Bed();
const rules = bed.file("rules.yaml", RULES);
const server = createSocket("udp4");

const ZONE: Readonly<Record<string, readonly string[]>> = {
  "api.example.com": ["93.184.215.14", "2606:2800::14"],
  "db.example.com": ["93.184.215.20"],
  "inside.googleapis.com": ["10.0.0.7"],
};

/** Any other name does not exist; one under broken. is not answered for. */
server.on("message", (message, { port, address }) => {
  const { id, questions = [] } = decode(message);
  const { name = "", type } = questions[0] ?? {};
  const family = type === "AAAA" ? ":" : ".";
  const addresses = (ZONE[name] ?? []).filter((each) => each.includes(family));
  const rcode = name.startsWith("broken.") ? 2 : ZONE[name] ? 0 : 3;
  const answers = addresses.map((data) => ({ name, data, ttl: 1, type: type as "A" }));
  server.send(
    encode({ type: "response", ...(id !== undefined && { id }), flags: rcode, questions, answers }),
    port,
    address,
  );
});

let resolver = "";
before(async () => {
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  resolver = `127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  bed.close();
});

const explain = (destination: string) =>
  bed.run(["explain", "-f", rules, "--resolver", resolver, destination]);

for (const [destination, status, said] of [
  ["api.example.com:443", 0, /dialled +93\.184\.215\.14, 2606:2800::14\n/],
  ["inside.googleapis.com:443", 1, /denied\.private_address[\s\S]*it leads to 10\.0\.0\.7/],
  ["gone.googleapis.com:443", 1, /failed\.dns/],
  ["93.184.215.20:5432", 0, /by +shop\/web spec\.to\[1\]: db\.example\.com/],
  ["93.184.215.21:5432", 1, /denied\.stale_address/],
] as const)
  test(`${destination}, its names asked of a resolver: exit status ${status}`, async () => {
    const ran = await explain(destination);
    assert.equal(ran.status, status, ran.stdout + ran.stderr);
    assert.match(ran.stdout, said);
    assert.doesNotMatch(ran.stdout, /assuming +\S+ resolves/);
  });

test("a resolver that cannot answer is no answer", async () => {
  const { status, stdout, stderr } = await explain("broken.googleapis.com:443");
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(
    stderr,
    /broken\.googleapis\.com could not be resolved: ESERVFAIL from 127\.0\.0\.1:\d+; --resolver ADDRESS asks another/,
  );
});

test("what is given is not asked for", async () => {
  const { status } = await bed.run([
    ...["explain", "-f", rules, "--resolver", resolver, "--answer"],
    ...["broken.googleapis.com=93.184.215.14", "broken.googleapis.com:443"],
  ]);
  assert.equal(status, 0);
});

test("simulate asks for the names that opaque connections are matched by", async () => {
  const record = JSON.stringify({
    time: "2026-01-01T00:00:00.000Z",
    ...{ namespace: "shop", verdict: "allow", reason: "allowed.audit" },
    ...{ protocol: "opaque", original_address: "93.184.215.20", original_port: 5432 },
  });
  assert.equal((await bed.run(["simulate", "-f", rules], record)).status, 1);
  assert.equal(
    (await bed.run(["simulate", "-f", rules, "--resolver", resolver], record)).status,
    0,
  );
});
