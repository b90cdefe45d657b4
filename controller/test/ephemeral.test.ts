import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { judgeEphemeral } from "@sallyport/controller/admission/ephemeral";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import {
  type Any,
  admitted,
  containerOf,
  containersNamed,
  optionsOf,
  podOf,
} from "./pod-support.ts";

const INJECTED = admitted(podOf());
const [proxy] = containersNamed(INJECTED, "sallyport-proxy");
const ID: number = proxy.securityContext.runAsUser;

/** The pod with these ephemeral containers. */
function debugging(ephemeralContainers: readonly Any[], pod = INJECTED): JsonObject {
  return { ...pod, spec: { ...(pod.spec as JsonObject), ephemeralContainers } };
}
const ephemeral = (fields: Any = {}) => containerOf({ name: "debug", ...fields });
const judge = (pod: JsonObject, before = INJECTED, options: InjectionOptionsInput = {}) =>
  judgeEphemeral(pod, before, optionsOf(options));

for (const [what, fields, says] of [
  ["a privileged one", { securityContext: { privileged: true } }, /\.securityContext\.privileged/],
  [
    "a capability in any spelling",
    { securityContext: { capabilities: { add: ["cap_net_admin"] } } },
    /--profile=restricted, or baseline\): spec\.ephemeralContainers\[0\]\.securityContext\.capabilities\.add\[0\]/,
  ],
  ["our user", { securityContext: { runAsUser: ID } }, /runAsUser: \d+ is the sidecar's own/],
  ["our group", { securityContext: { runAsGroup: ID } }, /runAsGroup: \d+ is the sidecar's own/],
  ["our name", { name: "sallyport-proxy" }, /ephemeralContainers\[0\]\.name/],
  ["our volume", { volumeMounts: [{ name: "sallyport-ca-bundle" }] }, /volumeMounts\[0\]\.name/],
  ["our port", { ports: [{ containerPort: 15_000 }] }, /ports\[0\]\.containerPort/],
  [
    "our processes, as root",
    { targetContainerName: "sallyport-init", securityContext: {} },
    /targetContainerName: root could stop/,
  ],
] as const)
  test(`an ephemeral container is refused, with the field: ${what}`, () => {
    const answer = judge(debugging([ephemeral(fields)]));
    assert.ok(!answer.allowed);
    assert.match(answer.message, says);
    assert.match(answer.message, /^Sallyport refuses this ephemeral container/);
  });

test("one that asks for nothing passes, and root is warned of", () => {
  const as = { runAsNonRoot: true, runAsUser: 1_000 };
  assert.deepEqual(judge(debugging([ephemeral({ securityContext: as })])), {
    ...{ allowed: true, patch: [], warnings: [] },
  });
  const asUser = ephemeral({ targetContainerName: "sallyport-proxy" });
  assert.ok(judge(debugging([asUser])).allowed);
  const answer = judge(debugging([ephemeral({ securityContext: {} })]));
  assert.ok(answer.allowed);
  assert.match(answer.warnings.join(), /^debug may run as root/);
});

const ITS_USER =
  "debug runs as its image's USER, and walks past the sidecar if that is the sidecar's own: set runAsUser";
for (const [what, podWide, own, warned] of [
  ["nobody says", {}, {}, true],
  ["only that it is not root", { runAsNonRoot: true }, { runAsNonRoot: true }, true],
  ["its own user", {}, { runAsUser: 1_000 }, false],
  ["its own group", {}, { runAsGroup: 1_000 }, false],
  ["the pod's user", { runAsUser: 1_000 }, { runAsNonRoot: true }, false],
  ["the pod's group", { runAsGroup: 1_000 }, {}, false],
] as const)
  test(`an image of the sidecar's user is ${warned ? "" : "not "}warned of where as whom a new ephemeral container runs is: ${what}`, () => {
    const pod = admitted(podOf({ securityContext: podWide }));
    const answer = judge(debugging([ephemeral({ securityContext: own })], pod), pod);
    assert.ok(answer.allowed);
    assert.equal(answer.warnings.includes(ITS_USER), warned);
    const old = debugging([ephemeral({ securityContext: own })], pod);
    assert.deepEqual(judge(old, old).warnings, [], "it was there before");
  });

test("processes that the pod shares are root's in an ephemeral container too", () => {
  const pod = admitted(podOf({ shareProcessNamespace: true }));
  assert.ok(judge(debugging([ephemeral()], pod), pod).allowed);
  const answer = judge(debugging([ephemeral({ securityContext: {} })], pod), pod);
  assert.match(answer.allowed ? "" : answer.message, /spec\.shareProcessNamespace: root could/);
});

test("only what is new is judged", () => {
  const old = ephemeral({ name: "old", securityContext: { privileged: true } });
  const before = debugging([old]);
  assert.ok(judge(debugging([old, ephemeral()]), before).allowed);
  const answer = judge(
    debugging([old, ephemeral({ securityContext: { privileged: true } })]),
    before,
  );
  assert.match(answer.allowed ? "" : answer.message, /ephemeralContainers\[1\](?!.*\[0\])/);
  assert.ok(!judge(debugging([{ ...old, image: "other" }]), before).allowed);
});

test("in a pod without a sidecar nothing is judged", () => {
  const bare = podOf();
  const added = debugging([ephemeral({ securityContext: { privileged: true } })], bare);
  assert.deepEqual(judge(added, bare), { allowed: true, patch: [], warnings: [] });
});

test("an ordinary sidecar is one, too", () => {
  const pod = admitted(podOf(), {}, { sidecar: "ordinary" });
  assert.ok(
    !judge(debugging([ephemeral({ securityContext: { privileged: true } })], pod), pod).allowed,
  );
});

test("where dangerous pods are warned of only, so are these; what cannot work is refused all the same", () => {
  const options = { dangerousPods: "warn" } as const;
  const dangerous = ephemeral({
    securityContext: { privileged: true, runAsUser: 0 },
    targetContainerName: "sallyport-proxy",
  });
  const answer = judge(debugging([dangerous]), INJECTED, options);
  assert.ok(answer.allowed);
  assert.match(answer.warnings.join("\n"), /privileged.*targetContainerName/s);
  const mounting = ephemeral({ volumeMounts: [{ name: "sallyport-x" }] });
  assert.ok(!judge(debugging([mounting]), INJECTED, options).allowed);
});
