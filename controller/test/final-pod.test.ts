import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission, JsonObject } from "@sallyport/controller/admission/admission";
import { type FinalPodRequest, judgeFinalPod } from "@sallyport/controller/admission/final-pod";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import { sidecarIn } from "@sallyport/controller/admission/sidecar-in";
import { signatureOf } from "@sallyport/controller/admission/signature";
import {
  type Any,
  admitted,
  containerOf,
  containersNamed,
  optionsOf,
  podOf,
  REQUEST,
  seededDraw,
} from "./pod-support.ts";

const STATUS = "sallyport.dev/status";

function judge(
  pod: JsonObject,
  options: InjectionOptionsInput = {},
  request: Partial<FinalPodRequest> = {},
  draw = seededDraw(),
): Admission {
  return judgeFinalPod(pod, { ...REQUEST, ...request }, optionsOf(options), draw);
}

const reasonOf = (admission: Admission) => (admission.allowed ? "" : admission.message);
/** Another key: it must be judged by what it is, not by who made it. */
const stranger = { ...seededDraw(), sealKey: new TextEncoder().encode("another key") };

/** An injected pod with something done to it by a webhook that runs later. */
function changed(change: (pod: Any) => void, pod = podOf(), options: InjectionOptionsInput = {}) {
  const after = structuredClone(admitted(pod, {}, options)) as Any;
  change(after);
  return after as JsonObject;
}
const proxyOf = (pod: Any) => containersNamed(pod, "sallyport-proxy")[0];
const initOf = (pod: Any) => containersNamed(pod, "sallyport-init")[0];
const withStatus = (pod: Any, change: (status: Any) => void) => {
  const status = JSON.parse(pod.metadata.annotations[STATUS]);
  change(status);
  pod.metadata.annotations[STATUS] = JSON.stringify(status);
};

const BASES: readonly [string, JsonObject, InjectionOptionsInput][] = [
  ["a plain pod", podOf(), {}],
  [
    "one with null lists",
    podOf({ initContainers: null, volumes: null }, { annotations: null }),
    {},
  ],
  [
    "one with everything",
    podOf(
      {
        initContainers: [containerOf({ name: "migrate" })],
        volumes: [{ name: "scratch", emptyDir: {} }],
        terminationGracePeriodSeconds: 5,
        securityContext: { runAsUser: 1_000, appArmorProfile: { type: "Localhost" } },
      },
      {
        labels: { app: "web" },
        annotations: { "sallyport.dev/ca-bundle": "ours", "sallyport.dev/proxy-cpu": "0.50" },
      },
    ),
    {},
  ],
  ["an ordinary sidecar", podOf(), { sidecar: "ordinary" }],
  ["fixed ids", podOf(), { proxyUid: 1_500, proxyGid: 1_600 }],
];

for (const [what, pod, options] of BASES)
  test(`an injected pod that nobody has touched passes, whoever judges it: ${what}`, () => {
    for (const draw of [seededDraw(), stranger])
      assert.deepEqual(judge(admitted(pod, {}, options), options, {}, draw), {
        allowed: true,
        patch: [],
        warnings: [],
      });
  });

test("what the API server and other webhooks do to the rest of a pod is theirs", () => {
  const pod = changed((pod) => {
    Object.assign(pod.metadata, { name: "web-x7", uid: "1", labels: pod.metadata.labels });
    pod.metadata.annotations.team = "a";
    pod.spec.initContainers.push(containerOf({ name: "late-init" }));
    pod.spec.containers.unshift(containerOf({ name: "mesh" }));
    pod.spec.volumes = [{ name: "kube-api-access-1" }];
    pod.spec.containers[0].volumeMounts = [{ name: "kube-api-access-1", mountPath: "/var/run" }];
    Object.assign(pod.spec, { nodeName: "n", priority: 0, tolerations: [{ key: "x" }] });
    pod.status = { phase: "Pending" };
  });
  for (const draw of [seededDraw(), stranger]) assert.equal(reasonOf(judge(pod, {}, {}, draw)), "");
});

test("what plugins inside the API server write into every container, and insist on, passes", () => {
  const byPlugins = (pod: Any) => {
    for (const container of [proxyOf(pod), initOf(pod)]) {
      container.imagePullPolicy = "Always";
      container.resources.requests["ephemeral-storage"] = "1Gi";
      container.resources.limits["ephemeral-storage"] = "2Gi";
    }
  };
  const pod = changed(byPlugins);
  for (const draw of [seededDraw(), stranger]) assert.equal(reasonOf(judge(pod, {}, {}, draw)), "");
  // And a second call of the mutating webhook leaves it there: the plugins are not asked again.
  assert.deepEqual(admitted(pod), pod);
});

for (const [what, change, says] of [
  [
    "an init container is put in front",
    (pod) => pod.spec.initContainers.unshift(containerOf({ name: "early" })),
    /spec\.initContainers\[0\]: there is "early", expected "sallyport-init", which is at \[1\]: nothing may start/,
  ],
  [
    "one is put between",
    (pod) => pod.spec.initContainers.splice(1, 0, containerOf({ name: "between" })),
    /spec\.initContainers\[1\]: there is "between", expected "sallyport-proxy"/,
  ],
  [
    "the rules' container is removed",
    (pod) => pod.spec.initContainers.shift(),
    /spec\.initContainers\[0\]: "sallyport-init" is expected here, and is gone/,
  ],
  [
    "the sidecar is removed",
    (pod) => pod.spec.initContainers.splice(1, 1),
    /spec\.initContainers\[1\]: "sallyport-proxy" is expected here, and is gone/,
  ],
  [
    "both are removed",
    (pod) => pod.spec.initContainers.splice(0, 2),
    /it is to have a sidecar and has neither/,
  ],
  [
    "the sidecar is moved to the app's containers",
    (pod) => pod.spec.containers.push(...pod.spec.initContainers.splice(1, 1)),
    /spec\.containers\[1\]\.name: "sallyport-proxy" has no place here/,
  ],
  [
    "the sidecar's image is rewritten",
    (pod) => {
      proxyOf(pod).image = "mirror.example/proxy:1";
    },
    /spec\.initContainers\[1\]\.image: there is "mirror\.example\/proxy:1", expected "sallyport\/proxy:0\.1\.0"; where images .* \(images\)/,
  ],
  [
    "a variable is added to it, whose value is not told",
    (pod) => proxyOf(pod).env.unshift({ name: "NODE_OPTIONS", value: "--require=secret" }),
    /^(?!.*--require).*spec\.initContainers\[1\]\.env\[0\]: there is "NODE_OPTIONS", expected nothing/,
  ],
  [
    "its policy is rewritten",
    (pod) => {
      proxyOf(pod).env[0].value = "{}";
    },
    /spec\.initContainers\[1\]\.env\[0\]\.value: there is another text, expected another text/,
  ],
  [
    "its command is replaced",
    (pod) => {
      initOf(pod).command = ["/bin/true"];
    },
    /spec\.initContainers\[0\]\.command/,
  ],
  [
    "arguments are added",
    (pod) => {
      initOf(pod).args = ["x"];
    },
    /spec\.initContainers\[0\]\.args: there is something else, expected nothing/,
  ],
  [
    "it is not to be restarted",
    (pod) => delete proxyOf(pod).restartPolicy,
    /spec\.initContainers\[1\]\.restartPolicy: there is nothing, expected "Always"/,
  ],
  [
    "its user is changed",
    (pod) => {
      proxyOf(pod).securityContext.runAsUser = 1_000;
    },
    /securityContext\.runAsUser: there is 1000, expected \d+/,
  ],
  [
    "its pull policy is never",
    (pod) => {
      proxyOf(pod).imagePullPolicy = "Never";
    },
    /imagePullPolicy: there is "Never", expected "IfNotPresent"/,
  ],
  [
    "its limits are lowered",
    (pod) => {
      proxyOf(pod).resources.limits.memory = "8Mi";
    },
    /resources\.limits\.memory: there is "8Mi", expected "256Mi"/,
  ],
  [
    "a token is mounted into it",
    (pod) => {
      proxyOf(pod).volumeMounts = [{ name: "kube-api-access-1", mountPath: "/t" }];
    },
    /volumeMounts/,
  ],
  [
    "the status is removed",
    (pod) => delete pod.metadata.annotations[STATUS],
    /metadata\.annotations\[sallyport\.dev\/status\]: it is gone/,
  ],
  [
    "the status is made up",
    (pod) => {
      pod.metadata.annotations[STATUS] = "injected";
    },
    /metadata\.annotations\[sallyport\.dev\/status\]: it is gone, or no status/,
  ],
  [
    "the status tells another version",
    (pod) =>
      withStatus(pod, (status) => {
        status.version = "9.9.9";
      }),
    /annotations\[sallyport\.dev\/status\]\.version: there is "9\.9\.9", expected/,
  ],
  [
    "the status tells a user that is never drawn",
    (pod) =>
      withStatus(pod, (status) => {
        status.uid = 0;
      }),
    /no sidecar of this installation has uid 0/,
  ],
  [
    "the status tells another user than the container",
    (pod) =>
      withStatus(pod, (status) => {
        status.uid = 20_001;
      }),
    /securityContext\.runAsUser: there is \d+, expected 20001/,
  ],
  [
    "the app is given NET_ADMIN",
    (pod) => {
      pod.spec.containers[0].securityContext = { capabilities: { add: ["NET_ADMIN"] } };
    },
    /spec\.containers\[0\]\.securityContext\.capabilities\.add\[0\]/,
  ],
  [
    "a privileged container is added",
    (pod) =>
      pod.spec.containers.push(
        containerOf({ name: "agent", securityContext: { privileged: true } }),
      ),
    /spec\.containers\[1\]\.securityContext\.privileged/,
  ],
  [
    "the app is given the sidecar's user",
    (pod) => {
      pod.spec.containers[0].securityContext.runAsUser = proxyOf(pod).securityContext.runAsUser;
    },
    /spec\.containers\[0\]\.securityContext\.runAsUser: \d+ is the sidecar's own/,
  ],
  [
    "the pod is given the sidecar's group",
    (pod) => {
      pod.spec.securityContext = { fsGroup: proxyOf(pod).securityContext.runAsGroup };
    },
    /spec\.securityContext\.fsGroup: \d+ is the sidecar's own/,
  ],
  [
    "a container declares a port of the sidecar's",
    (pod) => {
      pod.spec.containers[0].ports = [{ containerPort: 15_001 }];
    },
    /spec\.containers\[0\]\.ports\[0\]\.containerPort/,
  ],
  [
    "a reserved volume is added",
    (pod) => {
      pod.spec.volumes = [{ name: "sallyport-x", emptyDir: {} }];
    },
    /spec\.volumes\[0\]\.name: "sallyport-x"/,
  ],
  [
    "processes are shared",
    (pod) => {
      pod.spec.shareProcessNamespace = true;
      pod.spec.containers[0].securityContext = {};
    },
    /spec\.shareProcessNamespace/,
  ],
  [
    "a sysctl gives the sidecar's ports away",
    (pod) => {
      pod.spec.securityContext = {
        sysctls: [{ name: "net.ipv4.ip_local_port_range", value: "1024 65535" }],
      };
    },
    /spec\.securityContext\.sysctls\[0\]/,
  ],
  [
    "the pod is put on the node's network",
    (pod) => {
      pod.spec.hostNetwork = true;
    },
    /sallyport-init, sallyport-proxy cannot be in it: .*would rewire the node/,
  ],
  [
    "the wish is garbled",
    (pod) => {
      pod.metadata.annotations["sallyport.dev/inject"] = "maybe";
    },
    /"maybe": expected "true" or "false"/,
  ],
  [
    "a setting is changed that the sidecar was made by",
    (pod) => {
      pod.metadata.annotations["sallyport.dev/exclude-outbound-cidrs"] = "0.0.0.0/0";
    },
    /spec\.initContainers\[0\]\.env\[0\]\.value/,
  ],
  [
    "a label is changed that rules look at",
    (pod) => {
      pod.metadata.labels = { app: "other" };
    },
    /spec\.initContainers\[1\]\.env\[0\]\.value/,
  ],
] as readonly [string, (pod: Any) => unknown, RegExp][])
  test(`refused, with the field: ${what}`, () => {
    const reason = reasonOf(judge(changed(change), {}, {}, stranger));
    assert.match(reason.replaceAll("\n", " "), says);
    assert.match(reason, /webhook/);
  });

test("a volume of the sidecar's that is removed or leads elsewhere is refused", () => {
  const pod = podOf({}, { annotations: { "sallyport.dev/ca-bundle": "ours" } });
  const gone = changed((after) => after.spec.volumes.shift(), pod);
  assert.match(reasonOf(judge(gone)), /spec\.volumes: "sallyport-ca-bundle" is gone/);
  const other = changed((after) => {
    after.spec.volumes[0].configMap.name = "theirs";
  }, pod);
  assert.match(
    reasonOf(judge(other)),
    /spec\.volumes\[0\]\.configMap\.name: there is "theirs", expected "ours"/,
  );
  const moved = changed((after) => after.spec.volumes.unshift({ name: "x", emptyDir: {} }), pod);
  assert.equal(reasonOf(judge(moved)), "", "the order of volumes means nothing");
});

test("an ordinary sidecar is to be the first of the containers", () => {
  const options = { sidecar: "ordinary" } as const;
  const pod = changed((pod) => pod.spec.containers.reverse(), podOf(), options);
  assert.match(
    reasonOf(judge(pod, options)),
    /spec\.containers\[0\]: there is "app", expected "sallyport-proxy", which is at \[1\]/,
  );
});

test("a pod that no mutating webhook has seen is refused where it was to have a sidecar, and nowhere else", () => {
  const asked = podOf({}, { annotations: { "sallyport.dev/inject": "true" } });
  const [enabled, all] = [{ injection: "enabled" }, { injection: "all" }] as const;
  for (const [pod, request, refused] of [
    [podOf(), all, true],
    [podOf(), enabled, false],
    [asked, enabled, true],
    [podOf({}, { annotations: { "sallyport.dev/inject": "false" } }), all, false],
    [podOf({ hostNetwork: true }), all, false],
    [podOf({ os: { name: "windows" } }), all, false],
  ] as const)
    assert.match(
      reasonOf(judge(pod, {}, request)),
      refused
        ? /has neither sallyport-init nor sallyport-proxy: Sallyport's mutating webhook/
        : /^$/,
    );
});

test("while Sallyport is being installed, a pod that came past the mutating webhook is told so and passes; one whose sidecar is changed does not", () => {
  assert.deepEqual(judge(podOf(), {}, { injection: "all", guarded: false }), {
    allowed: true,
    patch: [],
    warnings: [
      "no sidecar: Sallyport is being installed, and its mutating webhook was not reached yet; create the pod again once `sallyport check` finds nothing wrong",
    ],
  });
  const halved = changed((pod) => pod.spec.initContainers.shift());
  assert.match(
    reasonOf(judge(halved, {}, { guarded: false })),
    /"sallyport-init" is expected here/,
  );
});

test("what bears the sidecar's names in a pod that has opted out is not looked at, and that is said", () => {
  const pod = changed((pod) => {
    pod.metadata.annotations["sallyport.dev/inject"] = "false";
    proxyOf(pod).image = "mine";
  });
  assert.deepEqual(judge(pod), {
    allowed: true,
    patch: [],
    warnings: [
      'sallyport-init, sallyport-proxy in this pod is not looked at by Sallyport: the pod says sallyport.dev/inject: "false"',
    ],
  });
});

test("while a new controller replaces the old one, each takes what the other has injected, and only that", () => {
  const newer: InjectionOptionsInput = {
    images: { proxy: "sallyport/proxy:0.2.0" },
    sidecar: "ordinary",
    policy: { mode: "enforce" },
  };
  const pod = changed(() => {}, podOf(), newer);
  assert.equal(reasonOf(judge(pod)), "");
  assert.match(reasonOf(judge(pod, {}, {}, stranger)), /"sallyport-proxy" is expected here/);
  assert.match(
    reasonOf(judge(pod, {}, { namespace: "other" })),
    /refuses/,
    "signed for a namespace",
  );
  const touched = changed(
    (pod) => {
      proxyOf(pod).env.push({ name: "X", value: "y" });
    },
    podOf(),
    newer,
  );
  assert.match(reasonOf(judge(touched)), /refuses/);
  const first = changed(
    (pod) => pod.spec.initContainers.unshift(containerOf({ name: "early" })),
    podOf(),
    newer,
  );
  assert.match(reasonOf(judge(first)), /refuses/);
});

test("what a later version adds to the status is signed too: its pods pass, and nothing is added afterwards", () => {
  const later = changed(
    (pod) =>
      withStatus(pod, (status) => {
        const { made, signature: _, ...written } = status;
        Object.assign(written, { version: "9.9.9", policy: { revision: 7 } });
        written.images.tools = "sallyport/tools:9.9.9";
        const signature = signatureOf(
          { namespace: REQUEST.namespace, sidecar: sidecarIn(pod), status: written },
          seededDraw().sealKey,
        );
        Object.assign(status, { ...written, signature, made: { ...made, annotations: "absent" } });
      }),
    podOf(),
    { policy: { mode: "enforce" } },
  );
  assert.equal(reasonOf(judge(later)), "");
  const touched = structuredClone(later) as Any;
  withStatus(touched, (status) => {
    status.policy.revision = 8;
  });
  assert.match(reasonOf(judge(touched)), /refuses/);
});

test("where a pod is not signed, as in a dry run, a refusal says that a rollout can be the cause; elsewhere it does not", () => {
  const enforce = { policy: { mode: "enforce" } } as const;
  const dry = admitted(podOf(), { dryRun: true }, enforce);
  assert.equal(reasonOf(judge(dry, enforce)), "");
  assert.match(reasonOf(judge(dry)), /not signed.*controllers are being replaced/);
  const signed = admitted(podOf(), {}, enforce);
  assert.doesNotMatch(reasonOf(judge(signed, {}, {}, stranger)), /being replaced/);
});

test("an installation that only warns of dangerous pods warns of those made dangerous later", () => {
  const options = { dangerousPods: "warn" } as const;
  const pod = changed(
    (pod) => {
      pod.spec.containers[0].securityContext.privileged = true;
    },
    podOf(),
    options,
  );
  const answer = judge(pod, options);
  assert.equal(reasonOf(answer), "");
  assert.match(answer.warnings.join(), /spec\.containers\[0\]\.securityContext\.privileged/);
});

test("an object that is no pod is refused, and nothing is too odd to be answered", () => {
  for (const object of [{}, { spec: null }, { spec: { containers: "x" } }] as JsonObject[])
    assert.match(reasonOf(judge(object)), /^Sallyport refuses this pod:/);
  const bare = {
    spec: { initContainers: [{ name: "sallyport-proxy" }], containers: [{ name: "a" }] },
  };
  assert.match(reasonOf(judge(bare)), /it is gone/);
});
