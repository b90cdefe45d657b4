import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSION } from "@sallyport/core/version";
import { ConfigError, configFromEnvironment, parseConfig } from "../src/config.ts";
import { PORTS, PROXY_CONFIG_ENV, ProxyConfig } from "../src/contract.ts";

test("without any configuration: audit, the documented ports, every limit set", () => {
  const { config } = configFromEnvironment({});
  assert.deepEqual([config.policy.mode, config.policy.rules], ["audit", []]);
  const { outbound, admin, ready } = PORTS;
  assert.deepEqual(config.ports, { outbound, admin, ready });
  assert.deepEqual(config, ProxyConfig.parse({}));
  for (const [name, value] of Object.entries(config.limits))
    assert.equal(typeof value, "number", name);
});

test("what is given stands, beside the defaults of its neighbours", () => {
  const { config } = configFromEnvironment({
    [PROXY_CONFIG_ENV]: '{"limits": {"connections": 5}, "ports": {"admin": 0}}',
  });
  assert.deepEqual(config.limits, { ...ProxyConfig.parse({}).limits, connections: 5 });
  assert.deepEqual([config.ports.admin, config.ports.outbound], [0, PORTS.outbound]);
});

for (const [text, path] of [
  ['{"user": {"uid": 0, "gid": 1}}', "user.uid"],
  ['{"user": {"uid": 1}}', "user.gid"],
  ['{"limits": {"connections": 0}}', "limits.connections"],
  ['{"limits": {"connectTimeoutMs": 0}}', "limits.connectTimeoutMs"],
  ['{"limits": {"connectTimeoutMs": 1.5}}', "limits.connectTimeoutMs"],
  ['{"ports": {"ready": "15021"}}', "ports.ready"],
  ['{"accessLog": {"select": "some"}}', "accessLog.select"],
  ['{"policy": {"mode": "open"}}', "policy.mode"],
  ['{"policy": {"rules": [{}]}}', "policy.rules[0].spec"],
  ["[]", undefined],
  ["null", undefined],
] as const)
  test(`${text} is refused${path ? ` at ${path}` : ""}`, () => {
    assert.throws(
      () => parseConfig(text, "proxy.json"),
      (error: Error) =>
        error instanceof ConfigError &&
        error.message.startsWith("proxy.json is not a sidecar configuration:") &&
        error.message.includes(path ? `at ${path}` : "expected object"),
    );
  });

test("what only the next minor version knows is passed over and told, but never in the policy", () => {
  const [major, minor] = VERSION.split(".").map(Number);
  const madeBy = `${major}.${(minor ?? 0) + 1}.0`;
  const { config, ignored } = parseConfig(
    JSON.stringify({ madeBy, drain: { maxMs: 5, gently: true } }),
    "proxy.json",
  );
  assert.deepEqual([config.drain.maxMs, ignored], [5, ["drain.gently"]]);
  assert.throws(
    () => parseConfig(JSON.stringify({ madeBy, policy: { only: [] } }), "proxy.json"),
    new RegExp(`not a sidecar configuration of ${VERSION}, but of ${madeBy}:[^]*"only"`),
  );
});
