import assert from "node:assert/strict";
import { test } from "node:test";
import { unreadPolicy } from "@sallyport/controller/admission/control";
import { eject } from "@sallyport/controller/admission/eject";
import { SAFE_TO_EVICT } from "@sallyport/controller/admission/eviction";
import { judgeFinalPod } from "@sallyport/controller/admission/final-pod";
import { assessPod } from "@sallyport/controller/assessment/assess";
import { DELIVERY_AUDIENCE } from "@sallyport/core/delivery";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { AROUND, stored } from "./assessment/stored-pod.ts";
import { checkInvariants } from "./pod-invariants.ts";
import {
  type Any,
  admit,
  admitted,
  CONTROL,
  containerOf,
  containersNamed,
  optionsOf,
  podOf,
  REQUEST,
  seededDraw,
} from "./pod-support.ts";

const ON_CLUSTER = { control: CONTROL };
const proxyOf = (pod: Any) => containersNamed(pod, "sallyport-proxy")[0];
const configOf = (pod: Any) => ProxyConfig.parse(JSON.parse(proxyOf(pod).env[0].value));
const OPTIONS = { policy: { mode: "enforce" as const }, resolvers: ["10.96.0.10"] };

for (const sidecar of ["native", "ordinary"] as const)
  for (const [what, spec] of [
    ["a plain pod", {}],
    ["one that mounts no token", { automountServiceAccountToken: false }],
    ["one with volumes and an fsGroup", { volumes: [], securityContext: { fsGroup: 2_000 } }],
  ] as const)
    test(`on a cluster ${what} gets its sidecar, and is as it was when it is taken out, ${sidecar}`, () => {
      assert.equal(checkInvariants(podOf(spec), { sidecar }, ON_CLUSTER), "injected");
    });

test("the sidecar is told where its policy comes from; of the policy itself, whom to ask for names", () => {
  const { control, policy } = configOf(admitted(podOf(), ON_CLUSTER, OPTIONS));
  assert.deepEqual(control, {
    ...CONTROL,
    tokenFile: "/var/run/sallyport/token/token",
    stateDir: "/var/lib/sallyport",
  });
  const written = JSON.parse(proxyOf(admitted(podOf(), ON_CLUSTER, OPTIONS)).env[0].value);
  assert.deepEqual(written.policy, { mode: "enforce", resolvers: ["10.96.0.10"] });
  assert.deepEqual([policy.rules, policy.cluster.ranges], [[], []]);
});

test("without a cluster the policy is in the config, and there is no volume", () => {
  const pod = admitted(podOf(), {}, OPTIONS) as Any;
  assert.equal(configOf(pod).control, undefined);
  assert.equal(configOf(pod).policy.pod.namespace, "shop");
  assert.equal(pod.spec.volumes, undefined);
});

test("the token is for the controllers' door alone, and both volumes are where the sidecar is told they are", () => {
  const pod = admitted(podOf(), ON_CLUSTER) as Any;
  const [token, state] = pod.spec.volumes;
  assert.deepEqual(token.projected.sources, [
    {
      serviceAccountToken: {
        audience: DELIVERY_AUDIENCE,
        expirationSeconds: 3_600,
        path: "token",
      },
    },
  ]);
  assert.ok(state.emptyDir.sizeLimit);
  const mountOf = (name: string) =>
    proxyOf(pod).volumeMounts.find((mount: Any) => mount.name === name);
  const { control } = configOf(pod);
  assert.equal(`${mountOf(token.name).mountPath}/token`, control?.tokenFile);
  assert.equal(mountOf(token.name).readOnly, true);
  assert.equal(mountOf(state.name).mountPath, control?.stateDir);
  assert.equal(mountOf(state.name).readOnly, undefined);
});

test("a node may be drained: of the sidecar's local volume the autoscaler is told", () => {
  const annotations = { [SAFE_TO_EVICT]: "scratch" };
  const pod = admitted(podOf({}, { annotations }), ON_CLUSTER) as Any;
  assert.equal(pod.metadata.annotations[SAFE_TO_EVICT], "scratch,sallyport-state");
  assert.deepEqual((eject(pod) as Any).metadata.annotations, annotations);
});

for (const name of ["sallyport-token", "sallyport-state"]) {
  test(`a volume of its author's called ${name} is refused, and so is a mount of ours`, () => {
    const own = admit(podOf({ volumes: [{ name, emptyDir: {} }] }), ON_CLUSTER);
    assert.ok(!own.allowed && own.message.includes("spec.volumes[0].name"), JSON.stringify(own));
    const volumeMounts = [{ name, mountPath: "/x" }];
    const mount = admit(podOf({ containers: [containerOf({ volumeMounts })] }), ON_CLUSTER);
    assert.ok(!mount.allowed);
    assert.match(mount.message, /spec\.containers\[0\]\.volumeMounts\[0\]\.name/);
  });

  test(`a later webhook that takes out or changes ${name} is refused by name`, () => {
    const judge = (change: (pod: Any) => void) => {
      const pod = structuredClone(admitted(podOf(), ON_CLUSTER)) as Any;
      change(pod);
      // Another key: it is judged by what it is, not by who made it.
      const draw = { ...seededDraw(), sealKey: new TextEncoder().encode("another key") };
      return judgeFinalPod(pod, { ...REQUEST, ...ON_CLUSTER }, optionsOf({}), draw);
    };
    assert.ok(judge(() => {}).allowed);
    const volumeOf = (pod: Any) => pod.spec.volumes.find((one: Any) => one.name === name);
    for (const change of [
      (pod: Any) => pod.spec.volumes.splice(pod.spec.volumes.indexOf(volumeOf(pod)), 1),
      (pod: Any) => Object.assign(volumeOf(pod), { hostPath: { path: "/tmp" } }),
      (pod: Any) => proxyOf(pod).volumeMounts.pop(),
    ]) {
      const answer = judge(change);
      assert.ok(!answer.allowed);
      assert.match(answer.message, /spec\.(volumes|initContainers\[1\]\.volumeMounts)/);
    }
  });
}

test("a sidecar that is told of other controllers is stale; who does not know which are right believes it", () => {
  const pod = stored(admitted(podOf(), ON_CLUSTER) as Any);
  const around = { ...AROUND, options: optionsOf({}) };
  assert.equal(assessPod(pod, around).state, "injected");
  assert.equal(assessPod(pod, { ...around, ...ON_CLUSTER }).state, "injected");
  const other = { ...around, control: { ...CONTROL, ca: "another" } };
  assert.deepEqual(assessPod(pod, other), {
    ...{ state: "stale", reason: "configuration", detail: "control" },
  });
  const before = stored(admitted(podOf()) as Any);
  assert.equal(assessPod(before, { ...around, ...ON_CLUSTER }).state, "stale");
});

test("what a configuration says of rules is told, where nobody would read it", () => {
  const boundary = {
    apiVersion: "sallyport.dev/v1alpha1" as const,
    kind: "EgressBoundary" as const,
    ...{ metadata: { name: "b" }, spec: {} },
  };
  assert.deepEqual(unreadPolicy(optionsOf(OPTIONS)), []);
  assert.deepEqual(unreadPolicy(optionsOf({ policy: { boundaries: [boundary] } })), [
    "policy.boundaries: on a cluster policy is what its objects say; apply them there (kubectl apply), and take them out of here",
  ]);
});
