import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GUARDS } from "@sallyport/controller/kubernetes/webhook-changes";
import { CHART, lackingHelm, NAMESPACE, template } from "../chart/helm.ts";
import { type KubernetesObject, objectsOf, the } from "../chart/objects.ts";
import { CERTIFICATE_SOURCES, rendered, webhooksIn } from "../chart/rendered.ts";

describe("the chart's webhooks", { skip: lackingHelm }, () => {
  /** What is asked about rules and boundaries is asked of every namespace. */
  const RULES = "rules.sallyport.dev";

  test("no webhook is asked about a pod or workload in kube-system or the installation's own namespace, and none without a label", () => {
    for (const namespace of [NAMESPACE, "elsewhere"])
      for (const { name, namespaceSelector, objectSelector } of webhooksIn(
        rendered({}, "--namespace", namespace),
      ).filter(({ name }) => name !== RULES))
        assert.deepEqual(
          [namespaceSelector, objectSelector],
          [
            {
              matchExpressions: [
                {
                  key: "sallyport.dev/injection",
                  operator: "In",
                  values: [name.split(".")[0]],
                },
                {
                  key: "kubernetes.io/metadata.name",
                  operator: "NotIn",
                  values: ["kube-system", namespace],
                },
              ],
            },
            undefined,
          ],
          name,
        );
  });

  for (const values of CERTIFICATE_SOURCES)
    test(`with ${JSON.stringify(values).slice(0, 60)} the guards let pods pass on install and guard on upgrade; the workload webhooks never stand in the way`, () => {
      for (const [options, guard] of [
        [[], "Ignore"],
        [["--is-upgrade"], "Fail"],
      ] as const) {
        const policies = webhooksIn(rendered(values, ...options)).map(({ name, failurePolicy }) => [
          name,
          failurePolicy,
        ]);
        const wanted = policies.map(([name]) => [name, GUARDS.includes(name) ? guard : "Ignore"]);
        assert.deepEqual(policies, wanted);
        assert.deepEqual(
          policies
            .map(([name]) => name)
            .filter((name) => GUARDS.includes(name))
            .sort(),
          [...GUARDS].sort(),
        );
      }
    });

  test("each webhook leads to the Service, to the path of its label, and has no side effects", () => {
    const service = the("Service", rendered({}));
    for (const { name, clientConfig, sideEffects, admissionReviewVersions } of webhooksIn(
      rendered({}),
    )) {
      const [label, subject] = name.split(".");
      const start = subject === "final-pods" ? "/validate/pods" : `/mutate/${subject}`;
      const path = name === RULES ? "/validate/rules" : `${start}/${label}`;
      assert.deepEqual(clientConfig, {
        service: {
          name: service.metadata.name,
          namespace: NAMESPACE,
          path,
          port: service.spec.ports[0].port,
        },
      });
      assert.deepEqual([sideEffects, admissionReviewVersions], ["None", ["v1"]]);
    }
  });

  test("whoever writes a rule or boundary anywhere is asked about, whoever deletes one or writes its status is not", () => {
    const entry = webhooksIn(rendered({})).find(({ name }) => name === RULES);
    assert.deepEqual(entry.rules, [
      {
        apiGroups: ["sallyport.dev"],
        apiVersions: ["v1alpha1"],
        resources: ["egressrules", "egressboundaries"],
        operations: ["CREATE", "UPDATE"],
        scope: "*",
      },
    ]);
    assert.deepEqual([entry.namespaceSelector, entry.objectSelector], [undefined, undefined]);
  });

  test("before Helm deletes anything it empties the webhook configurations, the validating one first", () => {
    const hooks = objectsOf(template({})).filter(
      ({ metadata }) => metadata.annotations?.["helm.sh/hook"] !== undefined,
    );
    const inOrder = hooks.toSorted((a, b) => weightOf(a) - weightOf(b));
    assert.deepEqual(
      inOrder.map(({ kind, metadata, webhooks }) => [kind, metadata.name, webhooks]),
      [
        ["ValidatingWebhookConfiguration", "sallyport", []],
        ["MutatingWebhookConfiguration", "sallyport", []],
      ],
    );
    for (const { metadata } of hooks) {
      assert.equal(metadata.annotations?.["helm.sh/hook"], "pre-delete");
      assert.match(
        metadata.annotations?.["helm.sh/hook-delete-policy"] ?? "",
        /^before-hook-creation,hook-succeeded$/,
      );
    }
  });
  const weightOf = ({ metadata }: KubernetesObject) =>
    Number(metadata.annotations?.["helm.sh/hook-weight"]);
});

test("kubectl delete -f manifests/install.yaml deletes the webhook configurations before anything else", () => {
  const file = readFileSync(join(CHART, "../../manifests/install.yaml"), "utf8");
  assert.deepEqual(
    objectsOf(file)
      .slice(0, 3)
      .map(({ kind }) => kind),
    ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Namespace"],
  );
});
