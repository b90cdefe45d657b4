import assert from "node:assert/strict";
import { test } from "node:test";
import { INJECT, PROXY_CONTAINER, STATUS } from "@sallyport/controller/admission/names";
import { assessPod, type Surroundings } from "@sallyport/controller/assessment/assess";
import type { Assessment } from "@sallyport/controller/assessment/assessment";
import { type Any, containersNamed, optionsOf, podOf } from "../pod-support.ts";
import { AFTER, AROUND, annotatedAt, BEFORE, injected, LABELLED, stored } from "./stored-pod.ts";

const brief = ({ state, ...more }: Assessment) =>
  "reason" in more ? `${state}: ${more.reason}` : state;

const saying = (wish: string) => podOf({}, { annotations: { [INJECT]: wish } });
const labelledAs = (injection: "enabled" | "all") => ({ ...AROUND, injection }) as const;
const REQUIRED: Surroundings = {
  ...AROUND,
  demands: { requiredBy: ["payments"], overrides: [] },
};

for (const [what, pod, around, expected] of [
  ["an injected one", injected(), AROUND, "injected"],
  [
    "one whose settings are its own",
    injected(
      podOf(
        {},
        {
          annotations: {
            "sallyport.dev/exclude-outbound-ports": "5432",
            "sallyport.dev/proxy-cpu": "50m",
            "sallyport.dev/ca-bundle": "corporate-ca",
          },
        },
      ),
    ),
    AROUND,
    "injected",
  ],
  [
    "one with an ordinary sidecar, where that is what is injected",
    injected(podOf(), { sidecar: "ordinary" }),
    { ...AROUND, options: optionsOf({ sidecar: "ordinary" }) },
    "injected",
  ],
  ["one that opted out", stored(saying("false")), AROUND, "left_alone: opted_out"],
  ["one that did not opt in", stored(podOf()), labelledAs("enabled"), "left_alone: not_opted_in"],
  [
    "one with hostNetwork",
    stored(podOf({ hostNetwork: true })),
    AROUND,
    "left_alone: host_network",
  ],
  [
    "one that opted out, where a boundary requires the sidecar",
    stored(saying("false")),
    REQUIRED,
    "missed: boundary_requires",
  ],
  [
    "one that did not opt in, where a boundary requires the sidecar",
    stored(podOf()),
    { ...REQUIRED, injection: "enabled" },
    "missed: boundary_requires",
  ],
  [
    "one with hostNetwork, where a boundary requires the sidecar",
    stored(podOf({ hostNetwork: true })),
    REQUIRED,
    "missed: boundary_requires",
  ],
  [
    "one that mirrors a static pod, where a boundary requires the sidecar",
    stored(podOf({}, { annotations: { "kubernetes.io/config.mirror": "abc" } })),
    REQUIRED,
    "left_alone: mirror",
  ],
  [
    "one that opted out while it ran, where a boundary requires the sidecar",
    annotated(injected(), { [INJECT]: "false" }),
    REQUIRED,
    "injected",
  ],
  [
    "one older than the label",
    stored(podOf(), { creationTimestamp: BEFORE }),
    AROUND,
    "missed: before_label",
  ],
  [
    "one of the same second as the label",
    stored(podOf(), { creationTimestamp: new Date(LABELLED).toISOString() }),
    AROUND,
    "missed: before_label",
  ],
  [
    "one that was annotated while it ran",
    stored(podOf(), { ...annotatedAt("2026-01-01T14:00:00Z"), creationTimestamp: AFTER }),
    labelledAs("enabled"),
    "missed: before_annotation",
  ],
  [
    "one annotated when it was created",
    stored(podOf(), { ...annotatedAt(AFTER), creationTimestamp: AFTER }),
    labelledAs("enabled"),
    "missed: not_called",
  ],
  ["one younger than the label", stored(podOf()), AROUND, "missed: not_called"],
  [
    "one of a namespace of which nobody tells when it was labelled",
    stored(podOf()),
    { ...AROUND, labelledAtMs: undefined },
    "missed: unknown",
  ],
  ["one of an older version", injected(), { ...AROUND, version: "9.0.0" }, "stale: version"],
  [
    "one with images of before",
    injected(podOf(), { images: { proxy: "old/proxy:1" } }),
    AROUND,
    "stale: images",
  ],
  [
    "one whose policy was in audit mode, where it is enforced now",
    injected(),
    { ...AROUND, options: optionsOf({ policy: { mode: "enforce" } }) },
    "stale: configuration",
  ],
  [
    "one with an ordinary sidecar, where they are native now",
    injected(podOf(), { sidecar: "ordinary" }),
    AROUND,
    "stale: configuration",
  ],
  [
    "one whose own settings were changed while it ran",
    annotated(injected(), { "sallyport.dev/log-level": "debug" }),
    AROUND,
    "stale: configuration",
  ],
  [
    "one that opted out while it ran",
    annotated(injected(), { [INJECT]: "false" }),
    AROUND,
    "stale: unwanted",
  ],
  [
    "one in a namespace where it would have to opt in now",
    injected(),
    labelledAs("enabled"),
    "stale: unwanted",
  ],
  [
    "one whose sidecar was given another image",
    changed(injected(), (proxy) => {
      proxy.image = "busybox";
    }),
    AROUND,
    "broken: image_changed",
  ],
  [
    "one whose sidecar was given a capability",
    changed(injected(), (proxy) => {
      proxy.securityContext.capabilities.add = ["NET_ADMIN"];
    }),
    AROUND,
    "broken: changed",
  ],
  [
    "one whose sidecar runs as another user",
    changed(injected(), (proxy) => {
      proxy.securityContext.runAsUser = 0;
    }),
    AROUND,
    "broken: changed",
  ],
  [
    "one whose sidecar lost its probe",
    changed(injected(), (proxy) => {
      delete proxy.startupProbe;
    }),
    AROUND,
    "broken: changed",
  ],
  [
    "one whose sidecar has no configuration that can be read",
    changed(injected(), (proxy) => {
      proxy.env[0].value = "{";
    }),
    AROUND,
    "broken: changed",
  ],
  [
    "one whose status was taken away",
    annotated(injected(), { [STATUS]: undefined }),
    AROUND,
    "broken: no_status",
  ],
  [
    "one whose author wrote a status, and no sidecar",
    stored(
      podOf({}, { annotations: { [STATUS]: (injected().metadata as Any).annotations[STATUS] } }),
    ),
    AROUND,
    "broken: container_missing",
  ],
  [
    "one where a container starts before the sidecar",
    withFirst(injected(), { name: "early" }),
    AROUND,
    "broken: not_first",
  ],
  ["what is no pod", { spec: { containers: 1 } }, AROUND, "broken: unreadable"],
] as [string, Any, Surroundings, string][])
  test(`${what}: ${expected}`, () => {
    assert.equal(brief(assessPod(pod, around)), expected);
  });

test("a sidecar whose resources an autoscaler has changed is as it was injected", () => {
  const pod = changed(injected(), (proxy) => {
    proxy.resources = { requests: { cpu: "100m" } };
  });
  assert.equal(assessPod(pod, AROUND).state, "injected");
});

test("where the installation's options cannot be read, versions alone are compared", () => {
  const { options: _, ...around } = AROUND;
  assert.equal(assessPod(injected(podOf(), { sidecar: "ordinary" }), around).state, "injected");
  assert.equal(brief(assessPod(injected(), { ...around, version: "9" })), "stale: version");
});

test("a sidecar of another version than this program's is compared by version and images alone", () => {
  const pod = injected();
  const { [STATUS]: status } = (pod.metadata as Any).annotations;
  const theirs = JSON.stringify({ ...JSON.parse(status), version: "0.0.9" });
  const around = { ...AROUND, version: "0.0.9", options: optionsOf({ logLevel: "debug" }) };
  assert.equal(assessPod(annotated(pod, { [STATUS]: theirs }), around).state, "injected");
});

test("what differs in a stale configuration is named", () => {
  const options = optionsOf({ policy: { mode: "enforce" }, logLevel: "debug" });
  const found = assessPod(injected(), { ...AROUND, options });
  assert.equal("detail" in found && found.detail, "outsideUdp, policy, logLevel");
});

test("of a missed pod that would be refused, it is said why", () => {
  const pod = stored(podOf({ hostPID: true }));
  const found = assessPod(pod, AROUND);
  assert.match("refusal" in found ? String(found.refusal) : "", /spec\.hostPID/);
  const debugged = stored(podOf({ ephemeralContainers: [{ name: "sallyport-proxy" }] }));
  assert.deepEqual(assessPod(debugged, AROUND), { state: "missed", reason: "not_called" });
});

function annotated(pod: Any, annotations: Any): Any {
  const copy = structuredClone(pod);
  Object.assign(copy.metadata.annotations, annotations);
  return JSON.parse(JSON.stringify(copy));
}

function changed(pod: Any, change: (proxy: Any) => void): Any {
  const copy = structuredClone(pod);
  for (const proxy of containersNamed(copy, PROXY_CONTAINER)) change(proxy);
  return copy;
}

function withFirst(pod: Any, container: Any): Any {
  const copy = structuredClone(pod);
  copy.spec.initContainers.unshift(container);
  return copy;
}

test("a pod that a boundary would have refused is told so: by hostNetwork, or as root", () => {
  for (const spec of [{ hostNetwork: true }, { containers: [{ name: "app", image: "app" }] }]) {
    const assessment = assessPod(stored(podOf(spec)), REQUIRED);
    assert.ok(assessment.state === "missed");
    assert.match(assessment.refusal ?? "", /required by EgressBoundary payments/);
  }
});
