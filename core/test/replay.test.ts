import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptOf } from "@sallyport/core/replay";

const at = { original_address: "93.184.215.14", original_port: 443 };

for (const [what, record, seen] of [
  ["nobody looked at", {}, undefined],
  ["said nothing", { protocol: "silent" }, { protocol: "silent" }],
  [
    "gave a server name",
    { protocol: "tls", name: "a.example", name_source: "sni" },
    { protocol: "tls", name: "a.example" },
  ],
  [
    "gave a Host",
    { protocol: "http", name: "a.example", name_source: "host" },
    { protocol: "http", name: "a.example" },
  ],
  [
    "gave what is no name",
    { protocol: "tls", invalid_name: "1.2.3.4" },
    { protocol: "tls", invalidName: "1.2.3.4" },
  ],
  [
    "never said the name that its address was found to have",
    { protocol: "opaque", name: "db.example", name_source: "dns" },
    { protocol: "opaque" },
  ],
] as const)
  test(`a record of an app that ${what} gives the attempt as it was`, () => {
    const attempt = attemptOf({ ...at, ...record });
    assert.deepEqual([attempt.address, attempt.port], ["93.184.215.14", 443]);
    assert.deepEqual(attempt.seen, seen);
  });

test("what was answered is known, for that name alone and both ways", () => {
  const { answers } = attemptOf({
    ...at,
    name: "db.example",
    name_source: "dns",
    resolved: ["93.184.215.14", "10.0.0.1"],
  });
  assert.deepEqual(answers?.addressesOf("db.example"), ["93.184.215.14", "10.0.0.1"]);
  assert.equal(answers?.addressesOf("other.example"), undefined);
  assert.deepEqual(answers?.namesOf("10.0.0.1"), ["db.example"]);
  assert.deepEqual(answers?.namesOf("10.0.0.2"), []);
});

test("a name that was not resolved stays to be asked for", () => {
  const { answers } = attemptOf({ ...at, protocol: "tls", name: "a.example", name_source: "sni" });
  assert.equal(answers?.addressesOf("a.example"), undefined);
  assert.deepEqual(answers?.namesOf("93.184.215.14"), []);
});

test("a Service that led out is judged by the endpoints that it had then", () => {
  const { led } = attemptOf({
    ...at,
    service: "shop/db",
    service_endpoints: ["93.184.215.14:5432", "[2606:2800::1]:15432"],
  });
  assert.deepEqual(led, {
    service: "shop/db",
    endpoints: [
      { address: "93.184.215.14", port: 5432 },
      { address: "2606:2800::1", port: 15_432 },
    ],
  });
});
