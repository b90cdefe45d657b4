import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { InjectionOptions } from "@sallyport/controller/admission/options";
import { formatQuantity, parseQuantity } from "@sallyport/controller/admission/quantity";
import { VERSION } from "@sallyport/core/version";
import * as z from "zod";

test("every option has a default, and the defaults are these", () => {
  assert.deepEqual(InjectionOptions.parse({}), {
    images: {
      init: `sallyport/init:${VERSION}`,
      proxy: `sallyport/proxy:${VERSION}`,
      pullPolicy: "IfNotPresent",
    },
    sidecar: "native",
    resolvers: [],
    clusterCidrs: [],
    policy: {
      mode: "audit",
      pod: { namespace: "default", labels: {}, namespaceLabels: {} },
      rules: [],
      boundaries: [],
      cluster: {
        ...{ ranges: [], nodes: [], endpoints: [] },
        ...{ domain: "cluster.local", externalNames: [], leadingOut: [] },
      },
      resolvers: [],
    },
    accessLog: { select: "all", queueBytes: 1_048_576 },
    logLevel: "info",
    resources: {
      requests: { cpu: "10m", memory: "64Mi" },
      limits: { cpu: "2", memory: "256Mi" },
    },
    dangerousPods: "reject",
  });
});

test("the version is the package's", () => {
  const file = join(import.meta.dirname, "../package.json");
  assert.equal(JSON.parse(readFileSync(file, "utf8")).version, VERSION);
});

test("every mistake is told at once, with its path", () => {
  const result = InjectionOptions.safeParse({
    sidekar: "native",
    images: { proxy: "a b" },
    proxyUid: 0,
    resolvers: ["dns"],
    resources: { requests: { cpu: "3", memory: "x" } },
  });
  const text = z.prettifyError(result.error ?? assert.fail());
  for (const part of [
    '"sidekar"',
    "at images.proxy",
    "at proxyUid",
    "at resolvers[0]",
    '"x": it is not a quantity',
    "at resources.requests.memory",
  ])
    assert.ok(text.includes(part), `${part} in\n${text}`);
});

test("a request above its limit is a mistake", () => {
  const result = InjectionOptions.safeParse({ resources: { requests: { cpu: "3" } } });
  assert.match(z.prettifyError(result.error ?? assert.fail()), /3 is more than the limit, 2/);
});

for (const [resource, text, thousandths] of [
  ["cpu", "1", 1_000n],
  ["cpu", "250m", 250n],
  ["cpu", "0.5", 500n],
  ["cpu", "1.", undefined],
  ["cpu", "+1", 1_000n],
  ["cpu", "1e1", 10_000n],
  ["cpu", "1E-1", 100n],
  ["cpu", "0.0005", undefined],
  ["cpu", "0m", undefined],
  ["cpu", " 1", undefined],
  ["memory", "1", 1_000n],
  ["memory", "1Ki", 1_024_000n],
  ["memory", "1.5Gi", 1_610_612_736_000n],
  ["memory", "1k", 1_000_000n],
  ["memory", "128974848000m", 128_974_848_000n],
  ["memory", "64m", undefined],
  ["memory", "1K", undefined],
  ["memory", "1E", 10n ** 21n],
  ["memory", "1e3", 1_000_000n],
  ["memory", "NaN", undefined],
  ["memory", "9".repeat(50), undefined],
] as const)
  test(`${resource} ${text} is ${thousandths ?? "no quantity"}`, () => {
    const parsed = parseQuantity(resource, text);
    assert.equal(parsed instanceof Error ? undefined : parsed, thousandths);
  });

for (const [resource, written, stored] of [
  ["cpu", "0.5", "500m"],
  ["cpu", "1000m", "1"],
  ["cpu", "1500m", "1500m"],
  ["cpu", "2000", "2k"],
  ["cpu", "2", "2"],
  ["memory", "1024Mi", "1Gi"],
  ["memory", "65536Ki", "64Mi"],
  ["memory", "500M", "500M"],
  ["memory", "1e9", "1G"],
  ["memory", "1.5Gi", "1536Mi"],
  ["memory", "1000", "1k"],
  ["memory", "7", "7"],
] as const)
  test(`${written} of ${resource} is written as the API server stores it: ${stored}`, () => {
    const parsed = parseQuantity(resource, written);
    assert.ok(typeof parsed === "bigint");
    assert.equal(formatQuantity(resource, parsed), stored);
    assert.equal(parseQuantity(resource, stored), parsed);
  });
