import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCaBundle } from "@sallyport/controller/admission/ca-bundle";
import { eject } from "@sallyport/controller/admission/eject";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { checkInvariants } from "./pod-invariants.ts";
import { type Any, admit, admitted, containerOf, containersNamed, podOf } from "./pod-support.ts";

const withBundle = (value: string, spec: Any = {}) =>
  podOf(spec, { annotations: { "sallyport.dev/ca-bundle": value } });
const longest = `${"a".repeat(63)}.`.repeat(4).slice(0, 253);

for (const [value, configMap, key] of [
  ["corporate-ca", "corporate-ca", "ca.crt"],
  ["corporate-ca/root.pem", "corporate-ca", "root.pem"],
  ["kube-root-ca.crt", "kube-root-ca.crt", "ca.crt"],
  ["0/_A-.z", "0", "_A-.z"],
  ["a/.hidden", "a", ".hidden"],
  [longest.replace(/\.$/, "a"), longest.replace(/\.$/, "a"), "ca.crt"],
  [`a/${"k".repeat(253)}`, "a", "k".repeat(253)],
] as const)
  test(`"${value.slice(0, 40)}" is a key of a ConfigMap`, () => {
    assert.deepEqual(parseCaBundle(value), { configMap, key });
  });

for (const value of [
  ...["", "/", "/ca.crt", "Corporate", "a_b", "-a", "a-", ".a", "a.", "a..b", "a b", "ä", "a\n"],
  "a".repeat(254),
])
  test(`${JSON.stringify(value.slice(0, 40))} is refused: no ConfigMap can have that name`, () => {
    const answer = admit(withBundle(value));
    assert.ok(!answer.allowed);
    assert.equal(
      answer.message.replace(/"[^"]*"/s, "V"),
      "Sallyport refuses this pod: annotation sallyport.dev/ca-bundle: V: no ConfigMap can have that name; expected the name of a ConfigMap, or NAME/KEY (ca.crt unless given)",
    );
  });

for (const value of [
  ...["a/", "a/.", "a/..", "a/..data", "a/b/c", "a/../b", "a/b c", "a/ä", "a/b\n"],
  `a/${"k".repeat(254)}`,
])
  test(`${JSON.stringify(value.slice(0, 40))} is refused: no ConfigMap can have that key`, () => {
    const answer = admit(withBundle(value));
    assert.ok(!answer.allowed);
    assert.match(answer.message, /no ConfigMap can have that key; expected the name of/);
  });

for (const sidecar of ["native", "ordinary"] as const)
  test(`the bundle is mounted into the sidecar alone, and it is told of it, ${sidecar}`, () => {
    const pod = withBundle("corporate-ca/root.pem", { volumes: [{ name: "data", emptyDir: {} }] });
    const after = admitted(pod, {}, { sidecar }) as Any;
    assert.deepEqual(after.spec.volumes, [
      {
        name: "sallyport-ca-bundle",
        configMap: {
          name: "corporate-ca",
          items: [{ key: "root.pem", path: "root.pem" }],
          defaultMode: 420,
          optional: false,
        },
      },
      { name: "data", emptyDir: {} },
    ]);
    const [proxy] = containersNamed(after, "sallyport-proxy");
    const [mount] = proxy.volumeMounts;
    assert.deepEqual([mount.name, mount.readOnly], ["sallyport-ca-bundle", true]);
    const { upstreamTls } = ProxyConfig.parse(JSON.parse(proxy.env[0].value));
    assert.deepEqual(upstreamTls.caFiles, [`${mount.mountPath}/root.pem`]);
    for (const name of ["sallyport-init", "app"])
      assert.equal(containersNamed(after, name)[0].volumeMounts, undefined, name);
  });

for (const [what, volumes] of [
  ["none", undefined],
  ["null", null],
  ["an empty list", []],
  ["others", [{ name: "data", emptyDir: {} }]],
] as const)
  for (const sidecar of ["native", "ordinary"] as const)
    test(`where there were ${what}, the volumes come back when it is taken out, ${sidecar}`, () => {
      const spec = volumes === undefined ? {} : { volumes };
      assert.equal(checkInvariants(withBundle("corporate-ca", spec), { sidecar }), "injected");
    });

test("when the annotation goes or changes, so does the volume", () => {
  const pod = admitted(withBundle("corporate-ca")) as Any;
  const other = structuredClone(pod);
  other.metadata.annotations["sallyport.dev/ca-bundle"] = "another";
  assert.deepEqual(
    (admitted(other) as Any).spec.volumes.map(({ configMap }: Any) => configMap.name),
    ["another"],
  );
  delete pod.metadata.annotations["sallyport.dev/ca-bundle"];
  const without = admitted(pod) as Any;
  assert.equal(without.spec.volumes, undefined);
  assert.deepEqual(eject(without), podOf({}, { annotations: {} }));
});

const volumes = [{ name: "sallyport-ca-bundle", configMap: { name: "mine" } }];
const volumeMounts = [{ name: "sallyport-ca-bundle", mountPath: "/x" }];

test("a volume of its author's under our name is refused, and so is a mount of ours", () => {
  const own = admit(withBundle("corporate-ca", { volumes }));
  assert.ok(!own.allowed && own.message.includes("spec.volumes[0].name"), JSON.stringify(own));
  const pod = admitted(withBundle("corporate-ca")) as Any;
  pod.spec.containers[0].volumeMounts = volumeMounts;
  const again = admit(pod);
  assert.ok(!again.allowed);
  assert.match(again.message, /^Sallyport refuses this pod: spec\.containers\[0\]\.volumeMounts/);
});

test("one that stands beside a container under our name is taken out with it", () => {
  const pod = podOf({
    volumes,
    initContainers: [containerOf({ name: "sallyport-proxy", volumeMounts })],
  });
  assert.deepEqual((admitted(pod) as Any).spec.volumes, []);
});
