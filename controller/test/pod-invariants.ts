import assert from "node:assert/strict";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { eject } from "@sallyport/controller/admission/eject";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import type { PodRequest } from "@sallyport/controller/admission/pod";
import { InitConfig } from "@sallyport/init/contract";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { effectiveSecurity, restrictedViolations, whyNotStarted } from "./pod-kubelet.ts";
import { type Any, admit, containersNamed, patched, seededDraw } from "./pod-support.ts";

const OURS = ["sallyport-init", "sallyport-proxy"];
const OUR_VOLUME = "sallyport-ca-bundle";
const CONTROL_VOLUMES = ["sallyport-token", "sallyport-state"];
const OUR_PORTS = [15_000, 15_001, 15_006, 15_021];

/**
 * What must hold of any pod that bears none of our names and is let through: the patch applies, comes off again without a
 * trace, is not made twice, and what it puts in can run. Gives what became of it.
 */
export function checkInvariants(
  pod: JsonObject,
  options: InjectionOptionsInput,
  request: Partial<PodRequest> = {},
): "refused" | "left alone" | "injected" {
  const before = JSON.stringify(pod);
  const answer = admit(pod, request, options);
  assert.equal(JSON.stringify(pod), before, "admission changes its input");
  for (const warning of answer.warnings) assert.ok([...warning].length <= 256, warning);
  if (!answer.allowed) {
    assert.match(answer.message, /^Sallyport refuses this pod:/);
    return "refused";
  }
  if (answer.patch.length === 0) return "left alone";

  const after = patched(pod, answer.patch) as Any;
  assert.equal(JSON.stringify(eject(after)), before, "taking it out gives the input back");

  const again = admit(after, request, options, seededDraw(2));
  assert.deepEqual(
    again.allowed ? again.patch : again.message,
    [],
    "admitting the result again is a no-op",
  );

  const { spec } = after;
  const native = options.sidecar !== "ordinary";
  const names = [...spec.initContainers, ...spec.containers].map(({ name }: Any) => name);
  for (const name of OURS) assert.equal(names.filter((one) => one === name).length, 1, name);
  assert.deepEqual(spec.initContainers.slice(0, native ? 2 : 1), [
    ...containersNamed(after, OURS[0] ?? ""),
    ...(native ? containersNamed(after, OURS[1] ?? "") : []),
  ]);
  if (!native) assert.equal(spec.containers[0].name, OURS[1]);
  for (const list of ["initContainers", "containers"] as const)
    assert.deepEqual(
      spec[list].filter(({ name }: Any) => !OURS.includes(name)),
      (pod.spec as Any)[list] ?? [],
      "the user's containers and their order",
    );
  const { annotations } = after.metadata;
  const ourVolumes = [
    ...(annotations["sallyport.dev/ca-bundle"] === undefined ? [] : [OUR_VOLUME]),
    ...(request.control ? CONTROL_VOLUMES : []),
  ];
  assert.deepEqual(JSON.parse(annotations["sallyport.dev/status"]).volumes, ourVolumes);
  const volumes = (spec.volumes ?? []).map(({ name }: Any) => name);
  assert.deepEqual(volumes.slice(0, ourVolumes.length), ourVolumes);
  assert.deepEqual(
    (spec.volumes ?? []).slice(ourVolumes.length),
    (pod.spec as Any).volumes ?? [],
    "the user's volumes and their order",
  );
  for (const { ports, name } of [...spec.initContainers, ...spec.containers])
    for (const { containerPort, protocol } of ports ?? [])
      if (!OURS.includes(name) && (protocol ?? "TCP") === "TCP")
        assert.ok(!OUR_PORTS.includes(containerPort), `port ${containerPort}`);

  checkContainers(after, ourVolumes);
  return "injected";
}

function checkContainers(pod: Any, ourVolumes: readonly string[]): void {
  const [init] = containersNamed(pod, "sallyport-init");
  const [proxy] = containersNamed(pod, "sallyport-proxy");
  for (const container of [init, proxy]) {
    assert.equal(whyNotStarted(pod, container), undefined, container.name);
    const effective = effectiveSecurity(pod, container);
    assert.equal(effective.readOnlyRoot, true);
    assert.equal(effective.seccomp, "RuntimeDefault");
    const mounted = (container.volumeMounts ?? []).map(({ name }: Any) => name);
    assert.deepEqual(mounted, container === proxy ? ourVolumes : []);
    for (const kind of ["requests", "limits"])
      for (const resource of ["cpu", "memory"])
        assert.equal(typeof container.resources[kind][resource], "string");
  }
  const initSecurity = effectiveSecurity(pod, init);
  assert.deepEqual([initSecurity.runAsUser, initSecurity.runAsGroup], [0, 0]);
  assert.deepEqual(initSecurity.added, ["NET_ADMIN", "NET_RAW"]);
  assert.deepEqual(initSecurity.dropped, ["ALL"]);
  assert.equal(initSecurity.escalation, false);
  assert.deepEqual(restrictedViolations(pod, proxy), []);

  const initConfig = InitConfig.parse(JSON.parse(init.env[0].value));
  const proxyConfig = ProxyConfig.parse(JSON.parse(proxy.env[0].value));
  const { runAsUser, runAsGroup } = effectiveSecurity(pod, proxy);
  assert.deepEqual(proxyConfig.user, { uid: runAsUser, gid: runAsGroup });
  assert.deepEqual([initConfig.proxyUid, initConfig.proxyGid], [runAsUser, runAsGroup]);
  assert.equal(initConfig.proxyPort, proxyConfig.ports.outbound);
  const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000;
  assert.ok(proxyConfig.drain.maxMs <= Math.max(0, graceMs));
  assert.ok(proxyConfig.drain.minMs <= proxyConfig.drain.maxMs);
  for (const id of usedIds(pod, [init, proxy]))
    assert.ok(id !== runAsUser && id !== runAsGroup, `${id} is used`);
}

function usedIds(pod: Any, ours: readonly Any[]): unknown[] {
  const { securityContext: podWide, containers, initContainers } = pod.spec;
  const contexts = [...containers, ...initContainers]
    .filter((one: Any) => !ours.includes(one))
    .map((one: Any) => one.securityContext);
  return [
    ...[podWide, ...contexts].flatMap((one) => [one?.runAsUser, one?.runAsGroup]),
    podWide?.fsGroup,
    ...(podWide?.supplementalGroups ?? []),
  ].filter((id) => id !== undefined && id !== null);
}
