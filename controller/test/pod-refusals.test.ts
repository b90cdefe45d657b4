import assert from "node:assert/strict";
import { test } from "node:test";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import { type Any, admit, containerOf, podOf } from "./pod-support.ts";

const adding = (...add: string[]) => ({ securityContext: { capabilities: { add } } });
const inPodContext = (fields: Any) => podOf({ securityContext: fields });
const sysctl = (...pairs: [string, string][]) =>
  inPodContext({ sysctls: pairs.map(([name, value]) => ({ name, value })) });

/** The paths that a pod is refused for, in order; none where it is let through. */
function refusedPaths(pod: Any, options: InjectionOptionsInput = {}): string[] {
  const answer = admit(pod, {}, options);
  if (answer.allowed) return [];
  return answer.message
    .replace(/^Sallyport refuses this pod: ?\n?/, "")
    .split("\n")
    .map((line) => line.replace(/^- /, "").split(": ")[0] ?? "");
}

for (const capability of ["NET_ADMIN", "SYS_ADMIN", "BPF", "SYS_PTRACE", "ALL"])
  for (const spelling of [
    capability,
    capability.toLowerCase(),
    `CAP_${capability}`,
    `cap_${capability.toLowerCase()}`,
    ` Cap_${capability}\t`,
  ])
    for (const kind of ["containers", "initContainers", "ephemeralContainers"])
      test(`a pod whose ${kind} add ${JSON.stringify(spelling)} is refused by the path`, () => {
        const pod = podOf({
          [kind]: [containerOf(), containerOf({ name: "b", ...adding("CHOWN", spelling) })],
        });
        assert.deepEqual(refusedPaths(pod), [
          `spec.${kind}[1].securityContext.capabilities.add[1]`,
        ]);
      });

for (const capability of ["NET_BIND_SERVICE", "IPC_LOCK", "NET_ADMINISTRATION", "", "constructor"])
  test(`a pod that adds ${JSON.stringify(capability)} is not refused`, () => {
    assert.deepEqual(refusedPaths(podOf({ containers: [containerOf(adding(capability))] })), []);
  });

for (const [what, pod, paths] of [
  [
    "a privileged container",
    podOf({ containers: [containerOf({ securityContext: { privileged: true } })] }),
    ["spec.containers[0].securityContext.privileged"],
  ],
  ["hostPID", podOf({ hostPID: true }), ["spec.hostPID"]],
  [
    "a shared process namespace with possible root",
    podOf({ shareProcessNamespace: true, containers: [{ name: "app" }] }),
    ["spec.shareProcessNamespace"],
  ],
  [
    "a shared process namespace with root that says it is not",
    podOf({
      shareProcessNamespace: true,
      containers: [containerOf({ securityContext: { runAsNonRoot: true, runAsUser: 0 } })],
    }),
    ["spec.shareProcessNamespace"],
  ],
  ["a shared process namespace without root", podOf({ shareProcessNamespace: true }), []],
  [
    "a shared process namespace whose pod is not root",
    podOf({
      shareProcessNamespace: true,
      securityContext: { runAsUser: 1000 },
      containers: [{ name: "app" }],
    }),
    [],
  ],
  [
    "a port of the sidecar",
    podOf({
      containers: [15000, 15001, 15006, 15021, 15002].map((containerPort) =>
        containerOf({ name: `c${containerPort}`, ports: [{ containerPort }] }),
      ),
    }),
    [0, 1, 2, 3].map((i) => `spec.containers[${i}].ports[0].containerPort`),
  ],
  [
    "the number of such a port, for UDP",
    podOf({ containers: [containerOf({ ports: [{ containerPort: 15021, protocol: "UDP" }] })] }),
    [],
  ],
  [
    "a port with the sidecar's name",
    podOf({
      containers: [containerOf({ ports: [{ name: "sallyport-ready", containerPort: 1 }] })],
    }),
    ["spec.containers[0].ports[0].name"],
  ],
  [
    "a volume with a name of the sidecar's, and a mount of it",
    podOf({
      volumes: [{ name: "data" }, { name: "sallyport-config", emptyDir: {} }],
      containers: [
        containerOf({
          volumeMounts: [{ name: "sallyport-config" }],
          volumeDevices: [{ name: "data" }, { name: "sallyport-x" }],
        }),
      ],
    }),
    [
      "spec.volumes[1].name",
      "spec.containers[0].volumeMounts[0].name",
      "spec.containers[0].volumeDevices[1].name",
    ],
  ],
  [
    "an ephemeral container with the sidecar's name",
    podOf({ ephemeralContainers: [containerOf({ name: "sallyport-proxy" })] }),
    ["spec.ephemeralContainers[0].name"],
  ],
  [
    "a local port range over the sidecar's",
    sysctl(["net.ipv4.ip_local_port_range", "1024 65535"]),
    ["spec.securityContext.sysctls[0]"],
  ],
  [
    "the same with the other separators",
    sysctl(["a", "b"], ["net/ipv4/ip_local_port_range", "15021\t15021"]),
    ["spec.securityContext.sysctls[1]"],
  ],
  ["a range beside them", sysctl(["net.ipv4.ip_local_port_range", "15022 65535"]), []],
  [
    "a range over them that spares them",
    sysctl(
      ["net.ipv4.ip_local_port_range", "1024 65535"],
      ["net.ipv4.ip_local_reserved_ports", "8080,15000-15006,15021"],
    ),
    [],
  ],
  [
    "a range over them that spares some",
    sysctl(
      ["net.ipv4.ip_local_reserved_ports", "15000-15006"],
      ["net.ipv4.ip_local_port_range", "1024 65535"],
    ),
    ["spec.securityContext.sysctls[1]"],
  ],
  [
    "ports that only root may take",
    sysctl(["net.ipv4.ip_unprivileged_port_start", "20000"]),
    ["spec.securityContext.sysctls[0]"],
  ],
  ["fewer such ports", sysctl(["net.ipv4.ip_unprivileged_port_start", "0"]), []],
] as const)
  test(`${what}: ${paths.length > 0 ? `refused for ${paths.join(", ")}` : "let through"}`, () => {
    assert.deepEqual(refusedPaths(pod), paths);
  });

test("a fixed uid or gid that the pod uses is refused wherever it is said; a drawn one avoids it", () => {
  const pod = podOf({
    securityContext: {
      runAsUser: 30_000,
      runAsGroup: 30_001,
      fsGroup: 30_001,
      supplementalGroups: [1, 30_001],
    },
    containers: [
      containerOf({ securityContext: { runAsUser: 30_000, runAsGroup: 30_001 } }),
      containerOf({ name: "b", securityContext: { runAsUser: 30_001, runAsGroup: 30_000 } }),
    ],
  });
  assert.deepEqual(refusedPaths(pod, { proxyUid: 30_000, proxyGid: 30_001 }), [
    "spec.securityContext.runAsUser",
    "spec.securityContext.runAsGroup",
    "spec.securityContext.fsGroup",
    "spec.securityContext.supplementalGroups[1]",
    "spec.containers[0].securityContext.runAsUser",
    "spec.containers[0].securityContext.runAsGroup",
  ]);
  assert.deepEqual(refusedPaths(pod), []);
});

const EVIL = podOf(
  {
    hostPID: true,
    containers: [containerOf({ ...adding("CAP_net_admin"), ports: [{ containerPort: 15_001 }] })],
  },
  { annotations: { "sallyport.dev/exclude-outbound-ports": "http" } },
);

test("every reason is told at once, with what to do", () => {
  const answer = admit(EVIL);
  assert.ok(!answer.allowed);
  assert.equal(
    answer.message,
    `Sallyport refuses this pod:
- annotation sallyport.dev/exclude-outbound-ports: "http": "http" is not a port: expected 1 to 65535
- spec.containers[0].ports[0].containerPort: 15001 is a port of the sidecar (15000, 15001, 15006, 15021); choose another
- spec.hostPID: the pod sees every process of its node; remove it
- spec.containers[0].securityContext.capabilities.add[0]: container app with NET_ADMIN can take the redirect away; remove it`,
  );
});

test("dangerousPods: warn lets dangers pass with a warning each, and nothing else", () => {
  assert.deepEqual(refusedPaths(EVIL, { dangerousPods: "warn" }), [
    "annotation sallyport.dev/exclude-outbound-ports",
    "spec.containers[0].ports[0].containerPort",
  ]);
  const answer = admit(podOf({ hostPID: true }), {}, { dangerousPods: "warn" });
  assert.ok(answer.allowed && answer.patch.length > 0);
  assert.deepEqual(answer.warnings, [
    "spec.hostPID: the pod sees every process of its node; remove it",
  ]);
});

test("what a pod is refused for is named where its author wrote it, beside containers in our name", () => {
  const pod = podOf({
    containers: [
      containerOf({ name: "sallyport-proxy", ...adding("ALL") }),
      containerOf(adding("ALL")),
    ],
  });
  assert.deepEqual(refusedPaths(pod), ["spec.containers[1].securityContext.capabilities.add[0]"]);
});

test("a very long list of reasons is cut short and counted", () => {
  const answer = admit(podOf({ containers: [containerOf(adding(...Array(50).fill("ALL")))] }));
  assert.ok(!answer.allowed);
  assert.equal(answer.message.split("\n").length, 22);
  assert.match(answer.message, /- and 30 more$/);
});

for (const [what, security, podWide, warned] of [
  ["nothing said", {}, {}, true],
  ["runAsNonRoot", { runAsNonRoot: true }, {}, false],
  ["the pod's runAsNonRoot", {}, { runAsNonRoot: true }, false],
  ["the pod's runAsNonRoot undone", { runAsNonRoot: false }, { runAsNonRoot: true }, true],
  ["a user that is not root", { runAsUser: 1 }, {}, false],
  ["the pod's user, root again in the container", { runAsUser: 0 }, { runAsUser: 1 }, true],
  ["root without capabilities", { runAsUser: 0, capabilities: { drop: ["all"] } }, {}, false],
  [
    "root without the three",
    { capabilities: { drop: ["NET_RAW", "CAP_SETUID", "setgid"] } },
    {},
    false,
  ],
  ["root without two of them", { capabilities: { drop: ["NET_RAW", "SETUID"] } }, {}, true],
  ["root with one added again", { capabilities: { drop: ["ALL"], add: ["SETUID"] } }, {}, true],
] as const)
  test(`root that could walk past: ${what}: ${warned ? "warned" : "nothing to warn of"}`, () => {
    const pod = podOf({
      securityContext: podWide,
      containers: [containerOf({ securityContext: security })],
    });
    const { warnings } = admit(pod);
    assert.equal(warnings.length, warned ? 1 : 0);
    if (warned) assert.match(warnings[0] ?? "", /^app may run as root/);
  });

test("many containers with possible root make one short warning", () => {
  const containers = Array.from({ length: 9 }, (_, i) => ({ name: `${"n".repeat(62)}${i}` }));
  const { warnings } = admit(podOf({ containers }));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", / and 6 more may run as root/);
  assert.equal(warnings[0]?.length, 256);
});

test("DNS servers of the pod's own to which UDP is rejected are pointed out", () => {
  const pod = podOf({
    dnsConfig: { nameservers: ["10.0.0.10", "8.8.8.8", "fd00::53", "10.9.0.1"] },
  });
  const policy = { mode: "enforce" } as const;
  const options = { policy, resolvers: ["10.0.0.10", "FD00:0::53"], clusterCidrs: ["10.9.0.0/16"] };
  assert.match(admit(pod, {}, options).warnings.join(), /UDP to 8\.8\.8\.8 is rejected/);
  assert.deepEqual(admit(pod, {}, { ...options, outsideUdp: "allow" }).warnings, []);
  assert.deepEqual(admit(pod, {}, { ...options, policy: { mode: "audit" } }).warnings, []);
});
