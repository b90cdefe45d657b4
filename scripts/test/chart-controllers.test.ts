import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseFlags } from "@sallyport/controller/flags";
import { lackingHelm, NAMESPACE } from "../chart/helm.ts";
import { type KubernetesObject, the } from "../chart/objects.ts";
import {
  CERTIFICATE_SOURCES,
  configurationsIn,
  containerIn,
  rendered,
  scenario,
} from "../chart/rendered.ts";
import { SCENARIOS } from "../chart/scenarios.ts";

const flagsOf = (objects: readonly KubernetesObject[]) => {
  const flags = parseFlags(containerIn(objects).args);
  assert.ok(typeof flags === "object");
  return flags;
};

describe("the chart's controllers", { skip: lackingHelm }, () => {
  /** All that the code asks for; `get` of an object of that name where a name is given. */
  const PERMISSIONS = [
    "/secrets sallyport-certificate: get update",
    "coordination.k8s.io/leases sallyport-controller: get update",
    "admissionregistration.k8s.io/mutatingwebhookconfigurations sallyport: get patch watch",
    "admissionregistration.k8s.io/validatingwebhookconfigurations sallyport: get patch watch",
    "/namespaces : list watch",
    "/configmaps sallyport-replicas: patch",
    "/pods : list watch",
    "apps/replicasets : get",
    "batch/jobs : get",
    "/events : create patch",
    "events.k8s.io/events : create patch",
    "sallyport.dev/egressrules : list watch",
    "sallyport.dev/egressboundaries : list watch",
    "sallyport.dev/egressrules/status : patch",
    "sallyport.dev/egressboundaries/status : patch",
    "/services : list watch",
    "/nodes : list watch",
    "discovery.k8s.io/endpointslices : list watch",
    "networking.k8s.io/servicecidrs : list watch",
    "authentication.k8s.io/tokenreviews : create",
  ];
  const CONTROLLER = "sallyport-controller";
  for (const [i, values] of CERTIFICATE_SOURCES.entries())
    test(`the controllers may do what is in the table and nothing else (certificate source ${i + 1} of ${CERTIFICATE_SOURCES.length})`, () => {
      const objects = rendered(values);
      const roles = ["Role", "ClusterRole"].map((kind) => the(kind, objects, CONTROLLER));
      const granted = roles.flatMap(({ rules }) =>
        rules.flatMap((rule: Record<string, string[]>) => {
          assert.deepEqual(
            Object.keys(rule).filter(
              (key) => !/^(apiGroups|resources|resourceNames|verbs)$/.test(key),
            ),
            [],
          );
          return (rule.apiGroups ?? []).flatMap((group) =>
            (rule.resources ?? []).map(
              (resource) =>
                `${group}/${resource} ${(rule.resourceNames ?? []).join(" ")}: ${(rule.verbs ?? []).join(" ")}`,
            ),
          );
        }),
      );
      assert.deepEqual(granted.toSorted(), PERMISSIONS.toSorted());
      assert.deepEqual(
        roles.map(({ metadata }) => metadata.namespace),
        [NAMESPACE, undefined],
      );
    });

  for (const [i, values] of CERTIFICATE_SOURCES.entries())
    test(`what the controllers are told to keep and to share are the objects that the chart makes (certificate source ${i + 1})`, () => {
      const objects = rendered(values);
      const flags = flagsOf(objects);
      const { certificateSecret, sealSecret } = flags.cluster ?? {};
      const secret = the("Secret", objects).metadata.name;
      assert.deepEqual(
        [certificateSecret, sealSecret],
        i === 0 ? [secret, undefined] : [undefined, secret],
      );
      assert.equal(flags.cluster?.lease, the("Lease", objects).metadata.name);
      for (const { metadata } of configurationsIn(objects))
        assert.equal(flags.cluster?.webhooks, metadata.name);
      assert.equal(flags.service, the("Service", objects).metadata.name);
      assert.equal(flags.namespace, NAMESPACE);
    });

  test("a NetworkPolicy lets them be reached on their ports, and reach what they call: API servers, each other by the Service's name, and so DNS", () => {
    const objects = rendered(scenario("a NetworkPolicy"));
    const { spec } = the("NetworkPolicy", objects);
    assert.deepEqual(spec.podSelector.matchLabels, the("Service", objects).spec.selector);
    const tcp = (port: number | string) => ({ port, protocol: "TCP" });
    const [{ name, containerPort }, policy] = containerIn(objects).ports;
    // From API servers, too, for which no selector is: check asks through them whether the port policy answers.
    assert.deepEqual(spec.ingress, [{ ports: [tcp(name), tcp(policy.name)] }]);
    assert.deepEqual(spec.egress, [
      { ports: [tcp(6443)] },
      { to: [{ podSelector: spec.podSelector }], ports: [tcp(containerPort)] },
      { ports: [{ port: 53, protocol: "UDP" }, tcp(53)] },
    ]);
  });

  test("sidecars reach the controllers on a port of its own, by the Service", () => {
    const objects = rendered({});
    const { port, targetPort } = the("Service", objects).spec.ports[1];
    const { name, containerPort } = containerIn(objects).ports[1];
    assert.deepEqual([port, targetPort], [8444, name]);
    assert.ok(containerIn(objects).args.includes(`--policy-port=${containerPort}`));
  });

  test("Secret and Lease are made empty, so that no upgrade has anything to put into them", () => {
    for (const values of CERTIFICATE_SOURCES)
      for (const kind of ["Secret", "Lease"]) {
        const { data, stringData, spec } = the(kind, rendered(values));
        assert.deepEqual([data, stringData, spec], [undefined, undefined, undefined], kind);
      }
  });

  for (const [name, values] of Object.entries(SCENARIOS))
    test(`${name}: the controllers satisfy Pod Security's restricted level, on a read-only root`, () => {
      const { spec } = the("Deployment", rendered(values)).spec.template;
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
      for (const { securityContext } of spec.containers)
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
      for (const volume of spec.volumes)
        assert.match(Object.keys(volume).join(), /^name,(configMap|secret)$/);
    });

  test("a PodDisruptionBudget lets one go at a time, and there is none that would hold up a single one", () => {
    assert.equal(the("PodDisruptionBudget", rendered({})).spec.maxUnavailable, 1);
    assert.throws(() => the("PodDisruptionBudget", rendered({ replicas: 1 })), /no Pod/);
  });

  test("another configuration rolls the controllers; what is not in it does not change its sum", () => {
    const sum = (values: object) =>
      the("Deployment", rendered(values)).spec.template.metadata.annotations["checksum/config"];
    assert.notEqual(sum({}), sum({ defaultMode: "audit" }));
    assert.equal(sum({}), sum({ logLevel: "debug" }));
  });
});
