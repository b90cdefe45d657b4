import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { admitPod } from "@sallyport/controller/admission/pod";
import fc from "fast-check";
import { checkInvariants } from "./pod-invariants.ts";
import { type Any, admit, OPTIONS, podOf, seededDraw } from "./pod-support.ts";

const name = fc.constantFrom("app", "db", "istio-init", "linkerd-proxy", "log-1", "z", "sallyport");
/** A value, `null`, or no such field at all; as a field of `fc.record` with `requiredKeys: []`. */
const orNull = (value: fc.Arbitrary<Any>) => fc.option(value, { nil: null, freq: 5 });
const id = fc.oneof(fc.constantFrom(0, 1_000, 20_000, 59_999), fc.nat(70_000));
const some = (fields: Record<string, fc.Arbitrary<Any>>) =>
  fc.record(
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, orNull(value)])),
    { requiredKeys: [], noNullPrototype: true },
  );
const unknownFields = fc.dictionary(
  fc.constantFrom("x-unknown", "a/b", "c~d", "", "__proto__", "constructor"),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 2, noNullPrototype: true },
);
/** Unknown fields before and after the known ones; where they meet, the known one stays. */
const withUnknown = (object: fc.Arbitrary<Any>) =>
  fc.tuple(unknownFields, object).map(([unknown, known]) => ({ ...unknown, ...known }));

const security = some({
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: fc.boolean(),
  privileged: fc.constantFrom(false, false, false, true),
  readOnlyRootFilesystem: fc.boolean(),
  seccompProfile: fc.constantFrom({ type: "Unconfined" }, { type: "RuntimeDefault" }),
  appArmorProfile: fc.constantFrom({ type: "Localhost", localhostProfile: "x" }),
  capabilities: some({
    add: fc.subarray(["NET_BIND_SERVICE", "IPC_LOCK", "NET_RAW"]),
    drop: fc.constantFrom([], ["ALL"], ["all"], ["NET_RAW"]),
  }),
});
const container = withUnknown(
  fc
    .tuple(
      fc.record({ name, image: fc.constant("shop/web:1.0") }),
      some({
        securityContext: security,
        restartPolicy: fc.constant("Always"),
        env: fc.array(fc.record({ name: fc.string(), value: fc.string() }), { maxLength: 2 }),
        ports: fc.array(some({ name, containerPort: fc.constantFrom(80, 8_080, 15_000, 15_021) }), {
          maxLength: 2,
        }),
        volumeMounts: fc.array(some({ name, mountPath: fc.string() }), { maxLength: 2 }),
      }),
    )
    .map(([required, optional]) => ({ ...optional, ...required })),
);
const containers = fc.array(container, { maxLength: 3 });
const quantity = fc.constantFrom<Any>("100m", "1", 1, 0.5, "0", "64Mi", "1.5Gi", "1e3", "1u", "8E");
const amounts = withUnknown(some({ cpu: quantity, memory: quantity, "hugepages-2Mi": quantity }));
const pod: fc.Arbitrary<JsonObject> = withUnknown(
  fc
    .tuple(
      some({
        metadata: withUnknown(
          some({
            name: fc.string(),
            generateName: fc.string(),
            labels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
            annotations: fc
              .tuple(
                fc.dictionary(
                  fc.constantFrom("a", "a/b", "x~y/z", "sallyport.dev/injekt", "__proto__"),
                  fc.string(),
                  { noNullPrototype: true },
                ),
                fc.constantFrom({}, { "sallyport.dev/ca-bundle": "authorities" }),
              )
              .map(([any, own]) => ({ ...any, ...own })),
          }),
        ),
        status: fc.constantFrom({}, { phase: "Pending" }),
      }),
      withUnknown(
        fc
          .tuple(
            fc.record({ containers: fc.array(container, { minLength: 1, maxLength: 3 }) }),
            some({
              initContainers: containers,
              volumes: fc.array(some({ name, emptyDir: fc.constant({}) }), { maxLength: 2 }),
              resources: withUnknown(some({ requests: amounts, limits: amounts })),
              hostNetwork: fc.constantFrom(false, false, false, true),
              hostPID: fc.constantFrom(false, false, false, true),
              shareProcessNamespace: fc.boolean(),
              restartPolicy: fc.constantFrom("Always", "Never"),
              terminationGracePeriodSeconds: fc.constantFrom(0, 1, 5, 30, 600, 1_000_000),
              securityContext: fc
                .tuple(
                  security,
                  some({
                    fsGroup: id,
                    supplementalGroups: fc.array(id, { maxLength: 3 }),
                    sysctls: fc.constantFrom(
                      [],
                      [{ name: "net.ipv4.ip_local_port_range", value: "1024 65535" }],
                    ),
                  }),
                )
                .map(([a, b]) => ({ ...a, ...b, privileged: undefined })),
            }),
          )
          .map(([required, optional]) => ({ ...optional, ...required })),
      ),
    )
    .map(([top, spec]) => ({ apiVersion: "v1", kind: "Pod", ...top, spec })),
).map((value) => JSON.parse(JSON.stringify(value)));

test("the invariants hold for pods with every field set, null, empty or absent", () => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(
      pod,
      fc.constantFrom("native" as const, "ordinary" as const),
      fc.constantFrom("reject" as const, "warn" as const),
      (pod, sidecar, dangerousPods) => {
        outcomes.add(checkInvariants(pod, { sidecar, dangerousPods }));
      },
    ),
    { seed: 20_260_101, numRuns: 600 },
  );
  assert.deepEqual([...outcomes].sort(), ["injected", "left alone", "refused"]);
});

test("any JSON object whatever is answered", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("metadata", "spec", "kind"), fc.jsonValue()),
      fc.constantFrom("enabled" as const, "all" as const),
      (pod, injection) => {
        const answer = admitPod(
          pod as JsonObject,
          { namespace: "shop", injection, now: 0 },
          OPTIONS,
          seededDraw(),
        );
        assert.equal(typeof answer.allowed, "boolean");
      },
    ),
    { seed: 20_260_102, numRuns: 500 },
  );
});

test("a field that admission reads, replaced by any JSON, is refused by its path or admitted", () => {
  const FIELDS = [
    ["metadata"],
    ["metadata", "annotations"],
    ["metadata", "labels"],
    ["spec"],
    ["spec", "containers"],
    ["spec", "containers", "0"],
    ["spec", "containers", "0", "name"],
    ["spec", "containers", "0", "ports"],
    ["spec", "containers", "0", "securityContext"],
    ["spec", "initContainers"],
    ["spec", "volumes"],
    ["spec", "hostNetwork"],
    ["spec", "terminationGracePeriodSeconds"],
    ["spec", "securityContext"],
    ["spec", "securityContext", "sysctls"],
    ["spec", "securityContext", "supplementalGroups"],
    ["spec", "dnsConfig"],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...FIELDS), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
      const pod = structuredClone(
        podOf({ initContainers: [], volumes: [], securityContext: {}, dnsConfig: {} }),
      ) as Any;
      const parent = path.slice(0, -1).reduce((at, key) => at[key], pod);
      parent[path.at(-1) ?? ""] = value;
      const answer = admit(pod);
      if (answer.allowed) return;
      const where = path.join(".").replaceAll(/\.(\d+)/g, "[$1]");
      assert.ok(answer.message.includes(where), `${where}: ${answer.message}`);
    }),
    { seed: 20_260_103, numRuns: 1_000 },
  );
});

test("a pod nested too deep is refused, and costs no stack", () => {
  const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
  const answer = admit(podOf({ unknown: deep }));
  assert.ok(!answer.allowed);
  assert.match(answer.message, /nested more than 100 levels deep/);
});
