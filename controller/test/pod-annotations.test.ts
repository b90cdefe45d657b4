import assert from "node:assert/strict";
import { test } from "node:test";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import { InitConfig } from "@sallyport/init/contract";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { type Any, admit, admitted, containersNamed, podOf } from "./pod-support.ts";

const annotated = (values: Record<string, string>) =>
  podOf(
    {},
    {
      annotations: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`sallyport.dev/${name}`, value]),
      ),
    },
  );

function configsOf(values: Record<string, string>, options: InjectionOptionsInput = {}) {
  const pod = admitted(annotated(values), {}, options);
  const [init] = containersNamed(pod, "sallyport-init");
  const [proxy] = containersNamed(pod, "sallyport-proxy");
  return {
    init: InitConfig.parse(JSON.parse(init.env[0].value)),
    proxy: ProxyConfig.parse(JSON.parse(proxy.env[0].value)),
    resources: [init.resources, proxy.resources],
  };
}

test("the lists reach init in one spelling, and what is written twice counts once", () => {
  const { init } = configsOf({
    "include-outbound-cidrs": "10.0.0.0/8, 2001:DB8:0::/32 ,10.0.0.0/8,192.0.2.1",
    "exclude-outbound-cidrs": "::ffff:10.1.0.0/112",
    "include-outbound-ports": "443,80, 443",
    "exclude-outbound-ports": "5432",
  });
  assert.deepEqual(init.includeCidrs, ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]);
  assert.deepEqual(init.excludeCidrs, ["10.1.0.0/16"]);
  assert.deepEqual(init.includePorts, [443, 80]);
  assert.deepEqual(init.excludePorts, [5432]);
});

test("without annotations init redirects everything", () => {
  const { init } = configsOf({});
  assert.equal(init.includeCidrs, undefined);
  assert.equal(init.includePorts, undefined);
  assert.deepEqual([init.excludeCidrs, init.excludePorts], [[], []]);
});

test("the log level and the resources are the pod's, or else the installation's", () => {
  const installation: InjectionOptionsInput = {
    logLevel: "warn",
    resources: { requests: { cpu: "20m" }, limits: { memory: "512Mi" } },
  };
  assert.equal(configsOf({}, installation).proxy.logLevel, "warn");
  assert.equal(configsOf({ "log-level": "debug" }, installation).proxy.logLevel, "debug");
  const whole = { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "2", memory: "512Mi" } };
  assert.deepEqual(configsOf({}, installation).resources, [whole, whole]);
  const own = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } };
  assert.deepEqual(
    configsOf(
      {
        "proxy-cpu": "1",
        "proxy-memory": "1Gi",
        "proxy-cpu-limit": "1",
        "proxy-memory-limit": "1Gi",
      },
      installation,
    ).resources,
    [own, own],
  );
});

for (const [name, value, expected] of [
  ["include-outbound-cidrs", "", "expected CIDRs such as 10.0.0.0/8, separated by commas"],
  ["include-outbound-cidrs", "*", '"*" is not a CIDR: expected for example'],
  ["exclude-outbound-cidrs", "10.0.0.0/8,", "expected CIDRs such as 10.0.0.0/8"],
  ["exclude-outbound-cidrs", "10.0.0.1/8", "write 10.0.0.0/8 for the range"],
  ["exclude-outbound-cidrs", "10.0.0.0/33", "expected a prefix length from 0 to 32"],
  ["include-outbound-ports", "", "expected ports from 1 to 65535, separated by commas"],
  ["include-outbound-ports", "80,,443", "expected ports from 1 to 65535"],
  ["exclude-outbound-ports", "0", '"0" is not a port: expected 1 to 65535'],
  ["exclude-outbound-ports", "65536", '"65536" is not a port'],
  ["exclude-outbound-ports", "80,http, 1-2", '"http" is not a port: expected 1 to 65535; "1-2" is'],
  ["exclude-outbound-ports", "080", '"080" is not a port'],
  ["proxy-cpu", "1 core", "it is not a quantity: expected cores, for example 250m, 0.5 or 2"],
  ["proxy-cpu", "0", "it is zero"],
  ["proxy-cpu-limit", "100u", "it is finer than 1m"],
  ["proxy-memory", "64m", "it is not a whole number of bytes (m is milli): expected bytes"],
  ["proxy-memory-limit", "-1Gi", "it is not a quantity"],
  ["proxy-memory-limit", "64MB", "it is not a quantity"],
  ["log-level", "trace", "expected one of error, warn, info, debug"],
  ["log-level", "", "expected one of"],
] as const)
  test(`${name}: "${value}" is refused with annotation, value and what is expected`, () => {
    const answer = admit(annotated({ [name]: value }));
    assert.ok(!answer.allowed);
    const start = `Sallyport refuses this pod: annotation sallyport.dev/${name}: "${value}": `;
    assert.ok(answer.message.startsWith(start), answer.message);
    assert.ok(answer.message.includes(expected), answer.message);
  });

for (const [values, message] of [
  [
    { "proxy-memory": "512Mi" },
    "annotation sallyport.dev/proxy-memory: 512Mi is more than the installation's limit, 256Mi; lower it or raise sallyport.dev/proxy-memory-limit",
  ],
  [
    { "proxy-cpu": "1500m", "proxy-cpu-limit": "1" },
    "annotation sallyport.dev/proxy-cpu: 1500m is more than sallyport.dev/proxy-cpu-limit, 1; lower it or raise sallyport.dev/proxy-cpu-limit",
  ],
  [
    { "proxy-memory-limit": "32Mi" },
    "annotation sallyport.dev/proxy-memory: 64Mi is more than sallyport.dev/proxy-memory-limit, 32Mi; lower it or raise sallyport.dev/proxy-memory-limit",
  ],
] as const)
  test(`${JSON.stringify(values)} is refused: a request above its limit`, () => {
    const answer = admit(annotated(values));
    assert.ok(!answer.allowed);
    assert.equal(answer.message, `Sallyport refuses this pod: ${message}`);
  });

test("where nothing is injected, malformed settings are warnings", () => {
  const pod = annotated({ inject: "false", "log-level": "loud" });
  assert.deepEqual(admit(pod), {
    allowed: true,
    patch: [],
    warnings: [
      'annotation sallyport.dev/log-level: "loud": expected one of error, warn, info, debug',
    ],
  });
});

for (const [name, suggestion] of [
  ["exclude-outbound-port", "; did you mean sallyport.dev/exclude-outbound-ports?"],
  ["excludeOutboundCidrs", "; did you mean sallyport.dev/exclude-outbound-cidrs?"],
  ["loglevel", "; did you mean sallyport.dev/log-level?"],
  ["proxy-cpus", "; did you mean sallyport.dev/proxy-cpu?"],
  ["something-else-entirely", ""],
  ["x".repeat(10_000), ""],
] as const)
  test(`the unknown annotation ${name.slice(0, 30)} is a warning${suggestion}`, () => {
    const answer = admit(annotated({ [name]: "x" }));
    assert.ok(answer.allowed && answer.patch.length > 0);
    assert.equal(answer.warnings.length, 1);
    const [warning = ""] = answer.warnings;
    assert.ok(warning.startsWith(`annotation sallyport.dev/${name.slice(0, 30)}`), warning);
    assert.ok(warning.endsWith(` means nothing${suggestion}`), warning);
  });

test("annotations of others, and those that Sallyport writes, are no mistake", () => {
  const pod = podOf({}, {
    annotations: { "sallyport.dev/carried": "true", "sallyport.development/x": "1", inject: "x" },
  } as Any);
  assert.deepEqual(admit(pod).warnings, []);
});
