import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { lacking } from "../cluster/given.ts";
import {
  type Any,
  type CheckBed,
  certificateFor,
  configMapOf,
  INSTALL,
  leaseOf,
  podOf,
  secretOf,
  startCheckBed,
} from "./check-bed.ts";

let bed: CheckBed;
const options = { skip: lacking };

before(async () => {
  if (!lacking) bed = await startCheckBed();
});
after(() => bed?.[Symbol.asyncDispose]());

/** Every finding that is new when something is done, and that it is gone when everything is as it was. */
async function findsAfter(change: () => Promise<unknown>, expected: readonly string[]) {
  await change();
  try {
    assert.deepEqual([...new Set(await bed.findings())].sort(), [...expected].sort());
  } finally {
    await bed.restore();
  }
  assert.deepEqual(await bed.findings(), []);
}

const deleted = (kind: string, name: string, namespace?: string) => () =>
  bed.kubectl(["delete", kind, name, ...(namespace ? ["-n", namespace] : [])]);

const patched = (kind: string, patch: Any) => () =>
  bed.kubectl(["patch", kind, "sallyport", "--type=json", "-p", JSON.stringify(patch)]);

const EVERY_WEBHOOK = [
  ...["enabled.pods", "all.pods", "enabled.workloads", "all.workloads"],
  ...["enabled.final-pods", "all.final-pods", "rules"],
].map((name) => `webhook/${name}.sallyport.dev`);

const SECRET = `${INSTALL}/secret/sallyport-certificate`;

test("where no namespace is labelled, that is said, and all is well", options, async () => {
  const { status, stdout } = await bed.check();
  assert.equal(status, 0, stdout);
  assert.match(stdout, /no pod could be tried/);
  assert.match(stdout, /→ kubectl label namespace NAME sallyport\.dev\/injection=enabled/);
  assert.match(stdout, /all is well$/m);
});

test(
  "an installation that is as it should be: a line for each part, and exit status 0",
  options,
  async () => {
    await bed.namespace("shop", { "sallyport.dev/injection": "enabled" });
    const wish = { metadata: { annotations: { "sallyport.dev/inject": "true" } } };
    await bed.kubectl(["create", "-n", "shop", "-f", "-"], podOf("web", wish));
    await bed.kubectl(["create", "-n", "shop", "-f", "-"], podOf("plain"));
    const { status, stdout, stderr } = await bed.check();
    assert.equal(status, 0, stdout + stderr);
    assert.doesNotMatch(stdout, /✗|→/);
    for (const line of [
      /✓ controller +2 of 2 replicas available, version 0\.1\.0/,
      /✓ webhooks +7 registered, certificate good for 36[45] days/,
      /✓ admission +a pod in shop is given its sidecar \(dry run, \d+ ms\)/,
      /✓ permissions +the controller has 36 that it uses/,
      /✓ workloads +2 workloads in 1 namespace; pods: 1 injected, 1 left alone/,
    ])
      assert.match(stdout, line);
  },
);

test("the trial leaves no pod behind", options, async () => {
  const before = await bed.kubectl(["get", "pods", "-A", "-o", "name"]);
  await bed.check();
  assert.equal(await bed.kubectl(["get", "pods", "-A", "-o", "name"]), before);
});

for (const [kind, webhooks] of [
  ["mutatingwebhookconfiguration", EVERY_WEBHOOK.slice(0, 4)],
  ["validatingwebhookconfiguration", EVERY_WEBHOOK.slice(4)],
] as const)
  test(`a ${kind} that is gone is missed, and so is what it did`, options, async () => {
    await findsAfter(deleted(kind, "sallyport"), [
      ...webhooks.map((name) => `webhook_missing ${name}`),
      ...(kind.startsWith("mutating") ? ["trial_refused namespace/shop"] : []),
    ]);
  });

test(
  "where no webhook is registered at all, a pod starts without a sidecar, and that is found",
  options,
  async () => {
    await findsAfter(async () => {
      await deleted("mutatingwebhookconfiguration", "sallyport")();
      await deleted("validatingwebhookconfiguration", "sallyport")();
    }, [
      ...EVERY_WEBHOOK.map((name) => `webhook_missing ${name}`),
      "trial_not_injected namespace/shop",
    ]);
  },
);

test(
  "a caBundle of another authority is noticed, and that the webhook cannot be asked",
  options,
  async () => {
    const { authority } = await certificateFor(0, 365);
    const value = Buffer.from(authority).toString("base64");
    await findsAfter(
      patched("mutatingwebhookconfiguration", [
        { op: "replace", path: "/webhooks/0/clientConfig/caBundle", value },
      ]),
      [`ca_not_of_certificate ${EVERY_WEBHOOK[0]}`, "webhook_not_answering namespace/shop"],
    );
  },
);

test("a caBundle that holds nothing is noticed", options, async () => {
  await findsAfter(
    patched("validatingwebhookconfiguration", [
      { op: "remove", path: "/webhooks/1/clientConfig/caBundle" },
    ]),
    [`ca_missing ${EVERY_WEBHOOK[5]}`],
  );
});

test("a certificate that has expired is told with its day", options, async () => {
  const expired = await certificateFor(366, 365);
  await findsAfter(
    () => bed.apply(secretOf(expired)),
    [
      `certificate_expired ${SECRET}`,
      ...EVERY_WEBHOOK.map((name) => `ca_not_of_certificate ${name}`),
    ],
  );
});

test("a certificate that should have been renewed is told before it expires", options, async () => {
  const overdue = await certificateFor(300, 365);
  const findings = [`certificate_overdue ${SECRET}`];
  await findsAfter(
    () => bed.apply(secretOf(overdue)),
    [...findings, ...EVERY_WEBHOOK.map((name) => `ca_not_of_certificate ${name}`)],
  );
});

test("a certificate for other names is noticed", options, async () => {
  const other = await certificateFor(0, 365, ["other.example"]);
  await findsAfter(
    () => bed.apply(secretOf(other)),
    EVERY_WEBHOOK.flatMap((name) => [`certificate_name ${name}`, `ca_not_of_certificate ${name}`]),
  );
});

test("a Secret that is empty, as the chart makes it, is noticed", options, async () => {
  await findsAfter(
    () =>
      bed.kubectl([
        ...["patch", "secret", "sallyport-certificate", "-n", INSTALL, "--type=json"],
        ...["-p", '[{"op":"remove","path":"/data"}]'],
      ]),
    [`certificate_missing ${SECRET}`],
  );
});

test(
  "guards that let pass, and a workload webhook that refuses, are noticed",
  options,
  async () => {
    await findsAfter(
      patched("mutatingwebhookconfiguration", [
        { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" },
        { op: "replace", path: "/webhooks/2/failurePolicy", value: "Fail" },
      ]),
      [`webhook_lets_pass ${EVERY_WEBHOOK[0]}`, `workload_webhook_refuses ${EVERY_WEBHOOK[2]}`],
    );
  },
);

test("a namespaceSelector that no longer spares kube-system is noticed", options, async () => {
  await findsAfter(
    patched("mutatingwebhookconfiguration", [
      { op: "replace", path: "/webhooks/2/namespaceSelector", value: { matchLabels: { a: "b" } } },
    ]),
    [`selector_changed ${EVERY_WEBHOOK[2]}`],
  );
});

test("a controller of which no replica is available is noticed", options, async () => {
  await findsAfter(
    () =>
      bed.kubectl([
        ...["patch", "deployment", "sallyport-controller", "-n", INSTALL],
        ...["--subresource=status", "--type=merge"],
        ...["-p", '{"status":{"availableReplicas":0,"readyReplicas":0}}'],
      ]),
    [`controller_unavailable ${INSTALL}/deployment/sallyport-controller`],
  );
});

for (const [kind, finding] of [
  ["deployment/sallyport-controller", "controller_missing"],
  ["service/sallyport", "service_missing"],
] as const)
  test(`a ${kind} that is gone is missed`, options, async () => {
    const [type = "", name = ""] = kind.split("/");
    await findsAfter(deleted(type, name, INSTALL), [`${finding} ${INSTALL}/${kind}`]);
  });

test("a Service without ready endpoints is noticed", options, async () => {
  await findsAfter(deleted("endpointslice", "sallyport-1", INSTALL), [
    `service_without_endpoints ${INSTALL}/service/sallyport`,
  ]);
});

const LEASE = `${INSTALL}/lease/sallyport-controller`;
const aMinuteAgo = () => new Date(Date.now() - 60_000);

test("a Lease that is gone is missed", options, async () => {
  await findsAfter(deleted("lease", "sallyport-controller", INSTALL), [`lease_missing ${LEASE}`]);
});

test("a Lease that its holder renews no more is noticed", options, async () => {
  await findsAfter(async () => {
    await bed.apply(leaseOf(aMinuteAgo(), 15));
    // It was written just now: without that being told, the holder's own time counts.
    await bed.kubectl([
      ...["patch", "lease", "sallyport-controller", "-n", INSTALL, "--type=json"],
      ...["-p", '[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]'],
    ]);
  }, [`nobody_leads ${LEASE}`]);
});

test("a holder whose clock is wrong leads all the same", options, async () => {
  await bed.apply(leaseOf(aMinuteAgo(), 15));
  const findings = await bed.findings();
  await bed.restore();
  assert.deepEqual(findings, []);
});

test("a right that the controller lacks is named", options, async () => {
  await deleted("clusterrolebinding", "sallyport-controller")();
  const { status, stdout } = await bed.check();
  await bed.restore();
  assert.equal(status, 1);
  assert.match(
    stdout,
    /the controller may not patch mutatingwebhookconfigurations\.admissionregistration\.k8s\.io sallyport/,
  );
  assert.match(stdout, /the controller may not list pods/);
});

test("a configuration that cannot be read is noticed", options, async () => {
  await findsAfter(
    () => bed.apply(configMapOf({ nonsense: true })),
    [`configuration_unusable ${INSTALL}/configmap/sallyport`],
  );
});

test(
  "what is injected, stale and missed is told by workload, with why and what to do",
  options,
  async () => {
    await bed.namespace("old");
    await bed.kubectl(["create", "-n", "old", "-f", "-"], podOf("before-the-label"));
    const host = podOf("on-the-host", { spec: { hostNetwork: true } });
    await bed.kubectl(["create", "-n", "old", "-f", "-"], host);
    await bed.kubectl(
      ["create", "-n", "old", "-f", "-"],
      podOf("dangerous", { spec: { hostPID: true } }),
    );
    await bed.kubectl(["label", "namespace", "old", "sallyport.dev/injection=all"]);
    const out = { metadata: { annotations: { "sallyport.dev/inject": "false" } } };
    await bed.kubectl(["create", "-n", "old", "-f", "-"], podOf("opted-out", out));
    await bed.apply(configMapOf({ policy: { mode: "audit" } }));
    const { status, stdout } = await bed.check(["-o", "json"]);
    const text = (await bed.check(["-n", "old"])).stdout;
    await bed.restore();
    await bed.kubectl(["label", "namespace", "old", "sallyport.dev/injection-"]);

    assert.equal(status, 1);
    const report = JSON.parse(stdout);
    assert.equal(report.healthy, false);
    assert.deepEqual(
      report.findings.map(({ code, subject }: Any) => [code, subject]),
      [
        ["sidecar_missing", "old/pod/before-the-label"],
        ["sidecar_missing", "old/pod/dangerous"],
        ["sidecar_stale", "shop/pod/web"],
      ],
    );
    const [old, dangerous, stale] = report.findings;
    assert.match(old.message, /it is older than its namespace's label/);
    assert.match(dangerous.remedy, /a new pod would be refused: .*spec\.hostPID/);
    assert.match(stale.message, /another configuration .*: outsideUdp, policy/);
    assert.deepEqual(report.pods, { injected: 0, left_alone: 3, missed: 2, stale: 1, broken: 0 });
    assert.match(text, /✗ old\/pod\/before-the-label +\(sidecar_missing\)/);
    assert.doesNotMatch(text, /shop\/pod/);
  },
);

test(
  "a Deployment whose annotation did not arrive is told with the command that carries it",
  options,
  async () => {
    await bed.namespace("early");
    await bed.apply({
      ...{ apiVersion: "apps/v1", kind: "Deployment" },
      metadata: {
        ...{ name: "web", namespace: "early" },
        annotations: { "sallyport.dev/inject": "true" },
      },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: podOf("web").spec },
      },
    });
    await bed.kubectl(["label", "namespace", "early", "sallyport.dev/injection=enabled"]);
    const found = JSON.parse((await bed.check(["-n", "early", "-o", "json"])).stdout).findings;
    assert.deepEqual(
      found.map(({ code, subject, remedy }: Any) => [code, subject, remedy]),
      [
        [
          "annotation_not_carried",
          "early/deployment/web",
          "kubectl rollout restart deployment/web -n early",
        ],
      ],
    );
    await bed.kubectl(["rollout", "restart", "deployment/web", "-n", "early"]);
    assert.deepEqual(await bed.findings(["-n", "early"]), []);
    await bed.kubectl(["label", "namespace", "early", "sallyport.dev/injection-"]);
  },
);

test("namespaces whose labels do not do what they say are told", options, async () => {
  await bed.namespace("typo", { "sallyport.dev/injection": "true" });
  await bed.namespace("strict", {
    "sallyport.dev/injection": "all",
    "pod-security.kubernetes.io/enforce": "restricted",
  });
  await bed.kubectl(["label", "namespace", "kube-system", "sallyport.dev/injection=all"]);
  const found = await bed.findings();
  const named = await bed.findings(["-n", "default", "-n", "nowhere"]);
  for (const name of ["typo", "strict", "kube-system"])
    await bed.kubectl(["label", "namespace", name, "sallyport.dev/injection-"]);
  assert.deepEqual(found.sort(), [
    "label_unknown namespace/typo",
    "namespace_excluded namespace/kube-system",
    "pod_security_refuses namespace/strict",
    "trial_refused namespace/strict",
  ]);
  assert.deepEqual(named.sort(), [
    "namespace_not_labelled namespace/default",
    "namespace_not_labelled namespace/nowhere",
    "trial_impossible admission",
  ]);
});

test(
  "who may look at nothing is told what is not known, and what to ask for",
  options,
  async () => {
    const { status, stdout } = await bed.check(["-n", "shop"], "nobody");
    assert.equal(status, 1, "nobody can tell whether all is well");
    assert.doesNotMatch(stdout, /✓|all is well/);
    assert.match(
      stdout,
      /not known is whether the controller runs; .* whether pods are given a sidecar/,
    );
    assert.match(stdout, /· namespace\/sallyport-system +\(not_permitted\)/);
    assert.match(stdout, /namespaces "shop" is forbidden/);
  },
);

test("where nothing is installed, that is all that is said", options, async () => {
  assert.deepEqual(await bed.findings(["--install-namespace", "elsewhere"]), [
    "not_installed namespace/elsewhere",
  ]);
});

test("wrong arguments are told, and exit status 2", options, async () => {
  assert.deepEqual(await bed.check(["-o", "yaml"]), {
    ...{ status: 2, stdout: "" },
    stderr: "sallyport check: --output yaml: expected text or json\n",
  });
  const wrong = await bed.check(["--context", "other"]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--context other: the kubeconfig has /);
});

test("a cluster that cannot be reached: one line, and exit status 3", options, async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, "close");
  const path = await bed.kubeconfigFor(`https://127.0.0.1:${port}`);
  const down = await bed.check(["--kubeconfig", path]);
  assert.equal(down.status, 3);
  assert.equal(down.stdout, "");
  assert.match(
    down.stderr,
    /^sallyport check: cannot reach the API server at https:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED.*\n$/,
  );
});

test("credentials that are not accepted: one line, and exit status 3", options, async () => {
  const path = await bed.kubeconfigFor(bed.server.url, "not-a-token");
  const refused = await bed.check(["--kubeconfig", path]);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /does not accept these credentials/);
});
