import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject, NamespaceInjection } from "../src/admission/admission.ts";
import { type Demands, demandsOf, NO_DEMANDS } from "../src/admission/demands.ts";
import { judgeEphemeral } from "../src/admission/ephemeral.ts";
import { judgeFinalPod } from "../src/admission/final-pod.ts";
import type { InjectionOptionsInput } from "../src/admission/options.ts";
import { boundary, unusable } from "./boundaries.ts";
import {
  type Any,
  admit,
  admitted,
  containerOf,
  containersNamed,
  optionsOf,
  podOf,
  REQUEST,
  seededDraw,
} from "./pod-support.ts";

const INJECT = "sallyport.dev/inject";
const REQUIRED = demandsOf([boundary("payments", { injection: "required" })]);
const ENFORCED = { ...NO_DEMANDS, mode: "enforce" };
const BY_PAYMENTS = "(the sidecar is required by EgressBoundary payments)";
const asking = (wish: string | undefined, more: Any = {}) =>
  podOf({}, { annotations: { ...(wish !== undefined && { [INJECT]: wish }), ...more } });

describe("what boundaries demand", () => {
  for (const [what, over, expected] of [
    ["none over the namespace", [], NO_DEMANDS],
    ["one that demands nothing", [boundary("a", {})], ENFORCED],
    ["one that only watches", [boundary("a", { mode: "audit" })], { ...NO_DEMANDS, mode: "audit" }],
    [
      "one that only watches, and one that nobody can read",
      [boundary("a", { mode: "audit" }), unusable("b")],
      { ...ENFORCED, unknown: "EgressBoundary b cannot be used as it is written" },
    ],
    [
      "one of two requires the sidecar",
      [boundary("a", { injection: "optional" }), boundary("b", { injection: "required" })],
      { ...ENFORCED, requiredBy: ["b"] },
    ],
    [
      "an empty list of overrides permits none",
      [boundary("a", { workloadOverrides: [] })],
      { ...ENFORCED, overrides: [{ boundary: "a", permitted: [] }] },
    ],
    [
      "overrides are named as annotations are",
      [boundary("a", { workloadOverrides: ["exclude-outbound-ports"] })],
      {
        ...ENFORCED,
        overrides: [{ boundary: "a", permitted: ["sallyport.dev/exclude-outbound-ports"] }],
      },
    ],
    [
      "one that cannot be used is named",
      [boundary("a", { injection: "required" }), unusable("b")],
      {
        ...ENFORCED,
        requiredBy: ["a"],
        unknown: "EgressBoundary b cannot be used as it is written",
      },
    ],
    [
      "nothing has been read yet",
      undefined,
      { ...NO_DEMANDS, unknown: "the boundaries over this namespace are not known yet" },
    ],
  ] as const)
    test(what, () => assert.deepEqual(demandsOf(over), expected));
});

describe("where a boundary requires the sidecar", () => {
  for (const [injection, wish, told] of [
    ["all", undefined, undefined],
    ["all", "true", undefined],
    ["all", "false", `annotation ${INJECT}: "false" is ignored`],
    ["enabled", undefined, "the pod is given a sidecar, for which it does not ask"],
    ["enabled", "true", undefined],
    ["enabled", "false", `annotation ${INJECT}: "false" is ignored`],
  ] as const)
    test(`namespace ${injection}, pod ${wish}: injected${told ? ", and told why" : ""}`, () => {
      const answer = admit(asking(wish), { injection, demands: REQUIRED });
      assert.ok(answer.allowed);
      assert.ok(answer.patch.length > 0);
      assert.deepEqual(answer.warnings, told ? [`${told} ${BY_PAYMENTS}`] : []);
    });

  for (const [what, spec, reason] of [
    ["hostNetwork", { hostNetwork: true }, /uses hostNetwork/],
    ["Windows", { os: { name: "windows" } }, /is for Windows/],
  ] as const)
    for (const injection of ["enabled", "all"] as const)
      for (const wish of [undefined, "true", "false"])
        test(`${what} is refused, and the boundary named: namespace ${injection}, pod ${wish}`, () => {
          const pod = podOf(spec, wish && { annotations: { [INJECT]: wish } });
          const finally_ = finalJudgement(pod, REQUIRED, {}, injection);
          for (const answer of [admit(pod, { injection, demands: REQUIRED }), finally_]) {
            assert.ok(!answer.allowed);
            assert.match(answer.message, reason);
            assert.ok(answer.message.endsWith(BY_PAYMENTS), answer.message);
          }
        });

  test("the mirror of a static pod is let in: the kubelet runs it whatever is said of its mirror", () => {
    const annotations = { "kubernetes.io/config.mirror": "abc" };
    for (const injection of ["enabled", "all"] as const) {
      const mirror = podOf({ hostNetwork: true }, { annotations });
      const answer = admit(mirror, { injection, demands: REQUIRED });
      assert.ok(answer.allowed);
      assert.deepEqual(answer.patch, []);
      assert.ok(finalJudgement(mirror, REQUIRED, {}, injection).allowed);
    }
  });

  /** Warned of elsewhere → its path in the refusal. */
  const WEAK: readonly (readonly [string, Any, string, InjectionOptionsInput])[] = [
    [
      "possible root that keeps NET_RAW, SETUID or SETGID",
      { containers: [containerOf(), { name: "other", image: "other" }] },
      "spec.containers[1].securityContext: other may run as root",
      {},
    ],
    [
      "another resolver, where UDP to the outside is rejected",
      { dnsConfig: { nameservers: ["10.0.0.10", "8.8.8.8"] } },
      "spec.dnsConfig.nameservers[1]: 8.8.8.8 is not a resolver",
      { outsideUdp: "reject", clusterCidrs: ["10.0.0.0/8"] },
    ],
    [
      "another resolver, where it is not",
      { dnsConfig: { nameservers: ["8.8.8.8"] } },
      "spec.dnsConfig.nameservers[0]: 8.8.8.8 is not a resolver",
      { outsideUdp: "allow", clusterCidrs: ["10.0.0.0/8"] },
    ],
    [
      "a dangerous pod where the installation only warns",
      { containers: [containerOf({ securityContext: { privileged: true, runAsNonRoot: true } })] },
      "spec.containers[0].securityContext.privileged: container app",
      { dangerousPods: "warn" },
    ],
  ];
  for (const [what, spec, begins, options] of WEAK) {
    test(`${what}: refused with its path and the boundary, and let in elsewhere`, () => {
      const answer = admit(podOf(spec), { demands: REQUIRED }, options);
      assert.ok(!answer.allowed);
      assert.ok(answer.message.startsWith(`Sallyport refuses this pod: ${begins}`), answer.message);
      assert.ok(answer.message.includes(BY_PAYMENTS), answer.message);
      assert.deepEqual(answer.warnings, []);
      assert.ok(admit(podOf(spec), {}, options).allowed);
    });

    test(`${what}: refused, too, when a later webhook has brought it`, () => {
      const pod = admitted(podOf(spec), {}, options);
      assert.ok(finalJudgement(pod, NO_DEMANDS, options).allowed);
      const answer = finalJudgement(pod, REQUIRED, options);
      assert.ok(!answer.allowed);
      assert.ok(answer.message.includes(begins) && answer.message.includes(BY_PAYMENTS));
    });
  }

  test("a pod that comes to the last webhook without a sidecar is refused, whatever it wishes", () => {
    for (const wish of [undefined, "true", "false"]) {
      const answer = finalJudgement(asking(wish), REQUIRED, {}, "enabled");
      assert.ok(!answer.allowed);
      assert.match(answer.message, /is to have a sidecar and has neither/);
    }
  });

  test("kubectl debug as possible root is refused, and a dangerous one although the installation warns", () => {
    const pod = admitted(podOf());
    const debug = (fields: Any, demands: Demands) => {
      const ephemeralContainers = [containerOf({ name: "debug", ...fields })];
      const spec = { ...(pod.spec as JsonObject), ephemeralContainers };
      return judgeEphemeral({ ...pod, spec }, pod, optionsOf({ dangerousPods: "warn" }), demands);
    };
    assert.ok(debug({}, REQUIRED).allowed);
    for (const [securityContext, begins] of [
      [{}, "spec.ephemeralContainers[0].securityContext: debug may run as root"],
      [{ privileged: true, runAsNonRoot: true }, "spec.ephemeralContainers[0].securityContext.p"],
    ] as const) {
      const answer = debug({ securityContext }, REQUIRED);
      assert.ok(!answer.allowed);
      assert.ok(answer.message.includes(begins), answer.message);
      assert.ok(answer.message.includes(BY_PAYMENTS), answer.message);
      assert.ok(debug({ securityContext }, NO_DEMANDS).allowed);
    }
  });

  test("kubectl debug judges what it adds, not what has been there", () => {
    const before = admitted(podOf({ containers: [{ name: "app", image: "app" }] }));
    const ephemeralContainers = [containerOf({ name: "debug" })];
    const spec = { ...(before.spec as JsonObject), ephemeralContainers };
    assert.ok(judgeEphemeral({ ...before, spec }, before, optionsOf({}), REQUIRED).allowed);
  });
});

describe("bypass annotations", () => {
  const BYPASS = {
    "include-outbound-cidrs": "10.0.0.0/8",
    "exclude-outbound-cidrs": "10.0.0.0/8",
    "include-outbound-ports": "443",
    "exclude-outbound-ports": "5432",
  } as const;
  type Name = keyof typeof BYPASS;
  const named = (name: Name) => `sallyport.dev/${name}`;
  const pods = (Object.entries(BYPASS) as [Name, string][]).map(
    ([name, value]) => [name, asking(undefined, { [named(name)]: value })] as const,
  );

  for (const [what, permitted] of [
    ["no list: all", undefined],
    ["an empty list: none", []],
    ["one", ["exclude-outbound-ports"]],
    ["two", ["exclude-outbound-ports", "include-outbound-cidrs"]],
  ] as const)
    test(`a boundary permits those of its list, ${what}`, () => {
      const demands = demandsOf([
        boundary("payments", permitted && { workloadOverrides: [...permitted] }),
      ]);
      for (const [name, pod] of pods) {
        const isPermitted =
          permitted === undefined || (permitted as readonly Name[]).includes(name);
        assert.equal(admit(pod, { demands }).allowed, isPermitted, name);
        assert.equal(finalJudgement(admitted(pod), demands).allowed, isPermitted, name);
      }
    });

  test("a refusal names the annotation, every boundary against it, and what all of them permit", () => {
    const demands = demandsOf([
      boundary("a", { workloadOverrides: ["exclude-outbound-ports", "include-outbound-ports"] }),
      boundary("b", { workloadOverrides: ["include-outbound-ports", "exclude-outbound-cidrs"] }),
      boundary("c", {}),
    ]);
    const messages = new Map(pods.map(([name, pod]) => [name, admit(pod, { demands })] as const));
    for (const [name, against] of [
      ["include-outbound-cidrs", "a, b"],
      ["exclude-outbound-cidrs", "a"],
      ["exclude-outbound-ports", "b"],
    ] as const) {
      const answer = messages.get(name);
      assert.ok(answer && !answer.allowed);
      assert.equal(
        answer.message,
        `Sallyport refuses this pod: annotation ${named(name)}: not permitted by EgressBoundary ${against}; permitted here: ${named("include-outbound-ports")}`,
      );
    }
    assert.ok(messages.get("include-outbound-ports")?.allowed);
  });

  test("a pod that gets no sidecar may say what it likes", () => {
    const demands = demandsOf([boundary("payments", { workloadOverrides: [] })]);
    const pod = asking("false", { [named("exclude-outbound-ports")]: "5432" });
    assert.ok(admit(pod, { demands }).allowed);
  });
});

describe("as long as it cannot be told what boundaries demand", () => {
  for (const [what, demands, why] of [
    [
      "not read yet",
      demandsOf(undefined),
      /the boundaries over this namespace are not known yet; try again/,
    ],
    ["an unusable one", demandsOf([unusable("broken")]), /EgressBoundary broken cannot be used/],
  ] as const) {
    for (const [pod, injection, allowed] of [
      [asking(undefined), "all", true],
      [asking("true"), "enabled", true],
      [asking("true", { "sallyport.dev/log-level": "debug" }), "enabled", true],
      [podOf({ containers: [{ name: "app", image: "app" }] }), "all", true],
      [asking("false"), "all", false],
      [asking(undefined), "enabled", false],
      [podOf({ hostNetwork: true }), "all", false],
      [asking("true", { "sallyport.dev/exclude-outbound-ports": "5432" }), "all", false],
    ] as const)
      test(`${what}: ${allowed ? "let in" : "asked to try again"}: ${injection}, ${JSON.stringify(pod.metadata)}${"hostNetwork" in (pod.spec as JsonObject) ? ", hostNetwork" : ""}`, () => {
        const answer = admit(pod, { injection, demands });
        assert.equal(answer.allowed, allowed);
        if (!answer.allowed) assert.match(answer.message, why);
        else assert.ok(answer.patch.length > 0);
        const stored = answer.allowed ? admitted(pod, { injection }) : pod;
        assert.equal(finalJudgement(stored, demands, {}, injection).allowed, allowed);
      });
  }

  test("a pod that could walk past its sidecar is asked to try again, though the installation only warns of it", () => {
    const pod = podOf({ hostPID: true });
    for (const demands of [demandsOf(undefined), demandsOf([unusable("broken")])]) {
      const answer = admit(pod, { demands }, { dangerousPods: "warn" });
      assert.ok(!answer.allowed);
      assert.match(answer.message, /hostPID.*whether a boundary requires.*try again/);
      const stored = admitted(pod, {}, { dangerousPods: "warn" });
      assert.ok(!finalJudgement(stored, demands, { dangerousPods: "warn" }).allowed);
    }
    assert.ok(admit(pod, {}, { dangerousPods: "warn" }).allowed);
  });

  test("a dangerous pod is asked to try again where the installation would only warn, and a weak one is let in", () => {
    const demands = demandsOf(undefined);
    const privileged = { securityContext: { privileged: true, runAsNonRoot: true } };
    const dangerous = podOf({ containers: [containerOf(privileged)] });
    const options = { dangerousPods: "warn" } as const;
    const answer = admit(dangerous, { demands }, options);
    assert.ok(!answer.allowed);
    assert.match(answer.message, /privileged: .*are not known yet; try again/);
    const stored = admitted(dangerous, {}, options);
    assert.ok(!finalJudgement(stored, demands, options).allowed);
    assert.ok(admit(podOf({ containers: [{ name: "app", image: "app" }] }), { demands }).allowed);
  });

  test("a boundary that requires the sidecar counts, whatever is unknown beside it", () => {
    const demands = demandsOf([boundary("payments", { injection: "required" }), unusable("b")]);
    const answer = admit(asking("false"), { demands });
    assert.ok(answer.allowed && answer.patch.length > 0);
    assert.deepEqual(answer.warnings, [`annotation ${INJECT}: "false" is ignored ${BY_PAYMENTS}`]);
  });
});

test("an opted-out pod's leftovers in our names are replaced like any other's where the sidecar is required", () => {
  const pod = asking("false");
  (pod.spec as Any).initContainers = [{ name: "sallyport-proxy", image: "not-ours" }];
  const [proxy] = containersNamed(admitted(pod, { demands: REQUIRED }), "sallyport-proxy");
  assert.notEqual(proxy.image, "not-ours");
});

function finalJudgement(
  pod: JsonObject,
  demands: Demands,
  options: InjectionOptionsInput = {},
  injection: NamespaceInjection = "all",
) {
  return judgeFinalPod(pod, { ...REQUEST, injection, demands }, optionsOf(options), seededDraw());
}
