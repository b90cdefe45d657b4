import assert from "node:assert/strict";
import { test } from "node:test";
import { InitConfig } from "@sallyport/init/contract";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { effectiveSecurity } from "./pod-kubelet.ts";
import { type Any, admit, admitted, containerOf, containersNamed, podOf } from "./pod-support.ts";

function sidecarOf(spec: Any, options = {}) {
  const pod = admitted(podOf(spec), {}, options);
  const [init] = containersNamed(pod, "sallyport-init");
  const [proxy] = containersNamed(pod, "sallyport-proxy");
  return {
    ...{ pod, init, proxy },
    initConfig: InitConfig.parse(JSON.parse(init.env[0].value)),
    config: ProxyConfig.parse(JSON.parse(proxy.env[0].value)),
  };
}

for (const [grace, native, ordinary] of [
  [undefined, [0, 28_000], [5_000, 28_000]],
  [null, [0, 28_000], [5_000, 28_000]],
  [0, [0, 0], [0, 0]],
  [1, [0, 500], [500, 500]],
  [5, [0, 3_000], [3_000, 3_000]],
  [600, [0, 598_000], [5_000, 598_000]],
  [1_000_000_000, [0, 86_400_000], [5_000, 86_400_000]],
] as const)
  test(`a grace period of ${grace} seconds: drains for ${native} ms, ordinary ${ordinary}`, () => {
    const spec = { terminationGracePeriodSeconds: grace };
    const drains = (["native", "ordinary"] as const).map((sidecar) => {
      const { drain } = sidecarOf(spec, { sidecar }).config;
      return [drain.minMs, drain.maxMs];
    });
    assert.deepEqual(drains, [native, ordinary]);
  });

test("the sidecar is told the policy, whose pod it is for, what to log and who it is", () => {
  const externalNames = [{ namespace: "shop", name: "httpbin", externalName: "httpbin.org" }];
  const cluster = { ranges: ["10.244.0.0/16"], domain: "corp.local", externalNames };
  const policy = { mode: "enforce" as const, cluster };
  const { config, proxy } = sidecarOf(
    {},
    {
      policy,
      clusterCidrs: ["10.96.0.0/12"],
      resolvers: ["10.96.0.10"],
      accessLog: { select: "denied" },
      logLevel: "debug",
    },
  );
  assert.equal(config.policy.mode, "enforce");
  assert.equal(config.policy.pod.namespace, "shop");
  assert.deepEqual(config.policy.cluster, {
    ...{ ...cluster, ranges: ["10.244.0.0/16", "10.96.0.0/12"] },
    ...{ nodes: [], endpoints: [], leadingOut: [] },
  });
  assert.deepEqual(config.policy.resolvers, ["10.96.0.10"]);
  assert.equal(config.accessLog.select, "denied");
  assert.equal(config.logLevel, "debug");
  const fields = proxy.env
    .slice(1)
    .map(({ name, value, valueFrom }: Any) => [name, value ?? valueFrom.fieldRef.fieldPath]);
  assert.deepEqual(fields, [
    ["POD_NAME", "metadata.name"],
    ["POD_NAMESPACE", "metadata.namespace"],
    ["MALLOC_ARENA_MAX", "1"],
  ]);
});

test("UDP to the outside is rejected where the policy is enforced, unless an option says otherwise", () => {
  const udp = (options: Any) => sidecarOf({}, options).initConfig.outsideUdp;
  assert.equal(udp({}), "allow");
  assert.equal(udp({ policy: { mode: "enforce" } }), "reject");
  assert.equal(udp({ policy: { mode: "enforce" }, outsideUdp: "allow" }), "allow");
  assert.equal(udp({ outsideUdp: "reject" }), "reject");
});

test("init is told the resolvers and the cluster's ranges", () => {
  const { initConfig } = sidecarOf({}, { resolvers: ["10.0.0.10"], clusterCidrs: ["10.0.0.0/8"] });
  assert.deepEqual(initConfig.resolvers, ["10.0.0.10"]);
  assert.deepEqual(initConfig.clusterCidrs, ["10.0.0.0/8"]);
});

test("a native sidecar starts before the app by its startup probe, an ordinary one by its hook", () => {
  const native = sidecarOf({}).proxy;
  assert.equal(native.restartPolicy, "Always");
  assert.deepEqual(
    [native.startupProbe.httpGet.path, native.startupProbe.httpGet.port],
    ["/ready", 15_021],
  );
  assert.equal(native.lifecycle, undefined);
  const ordinary = sidecarOf({}, { sidecar: "ordinary" }).proxy;
  assert.equal(ordinary.restartPolicy, undefined);
  assert.deepEqual(ordinary.lifecycle.postStart.exec.command, [...ordinary.command, "wait"]);
});

test("an ordinary sidecar warns of what it cannot do, a native one can", () => {
  const job = podOf({ restartPolicy: "Never", initContainers: [containerOf({ name: "migrate" })] });
  assert.deepEqual(admit(job).warnings, []);
  assert.deepEqual(admit(job, {}, { sidecar: "ordinary" }).warnings, [
    "init containers run before an ordinary sidecar and can connect to nothing: migrate",
    "the pod will not end by itself: an ordinary sidecar goes on when the app has ended",
  ]);
  const owned = podOf({}, { ownerReferences: [{ kind: "Job" }] });
  assert.equal(admit(owned, {}, { sidecar: "ordinary" }).warnings.length, 1);
});

test("an AppArmor profile made for the app is not the sidecar's; without one none is named", () => {
  const local = { type: "Localhost", localhostProfile: "app" };
  const { pod, init, proxy } = sidecarOf({ securityContext: { appArmorProfile: local } });
  for (const one of [init, proxy])
    assert.equal(effectiveSecurity(pod, one).appArmor, "RuntimeDefault");
  assert.equal("appArmorProfile" in sidecarOf({}).proxy.securityContext, false);
});

test("a name of ours is a DNS label, a port's at most 15 characters", () => {
  const { init, proxy } = sidecarOf({});
  for (const { name } of [init, proxy]) assert.match(name, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  for (const { name } of proxy.ports) assert.match(name, /^(?=.{1,15}$)[a-z0-9]+(-[a-z0-9]+)*$/);
});
