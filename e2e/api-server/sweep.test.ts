import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CoreV1Event } from "@kubernetes/client-node";
import { InjectionOptions } from "@sallyport/controller/admission/options";
import { giveNotice } from "@sallyport/controller/kubernetes/events";
import { type SweepTimes, sweep } from "@sallyport/controller/kubernetes/sweep";
import { VERSION } from "@sallyport/core/version";
import { lacking } from "../cluster/given.ts";
import {
  type Any,
  type CheckBed,
  configMapOf,
  INSTALL,
  podOf,
  startCheckBed,
} from "./check-bed.ts";
import { until } from "./until.ts";

let bed: CheckBed;
const options = { skip: lacking };

before(async () => {
  if (!lacking) bed = await startCheckBed();
});
after(() => bed?.[Symbol.asyncDispose]());

interface Sweeping {
  readonly log: readonly string[];
  /** Until that namespace was gone through once more, whatever was found. */
  sweptAgain(namespace: string): Promise<unknown>;
}

/** Sweeps as the controller does, with its ServiceAccount's rights, for as long as the work takes. */
async function sweeping(
  work: (sweeping: Sweeping) => Promise<void>,
  {
    config = {},
    times = { everyMs: 200, lookMs: 50 },
    trouble = [],
  }: { config?: object; times?: SweepTimes; trouble?: readonly RegExp[] } = {},
): Promise<void> {
  const end = new AbortController();
  const log: string[] = [];
  const swept = sweep(
    {
      api: await bed.as("sallyport-controller"),
      installation: {
        version: VERSION,
        options: InjectionOptions.parse(JSON.parse(configMapOf(config).data["config.json"])),
      },
      excluded: [INSTALL],
      log: (level, message, more) => log.push(`${level} ${message} ${more?.namespace ?? ""}`),
      times,
    },
    end.signal,
  );
  const sweeps = (namespace: string) => log.filter((line) => line === `debug swept ${namespace}`);
  try {
    await work({
      log,
      sweptAgain: async (namespace) => {
        const { length } = sweeps(namespace);
        await until(
          `a sweep of ${namespace}`,
          async () => sweeps(namespace).length,
          // The one under way may have begun before what is waited for.
          (number) => number >= length + 2,
        );
      },
    });
  } finally {
    end.abort();
    await swept;
  }
  const told = log.filter((line) => !line.startsWith("debug"));
  assert.equal(told.length, trouble.length, `its rights suffice: ${told.join("; ")}`);
  trouble.forEach((expected, i) => {
    assert.match(told[i] ?? "", expected);
  });
}

async function eventsIn(namespace: string): Promise<CoreV1Event[]> {
  return (await bed.api.core.listNamespacedEvent({ namespace })).items;
}

const someEvents = (namespace: string) =>
  until(
    `an event in ${namespace}`,
    () => eventsIn(namespace),
    ({ length }) => length > 0,
  );

const create = async (namespace: string, object: Any) =>
  JSON.parse(await bed.kubectl(["create", "-n", namespace, "-o", "json", "-f", "-"], object));

const label = (namespace: string, value: string) =>
  bed.kubectl(["label", "--overwrite", "namespace", namespace, `sallyport.dev/injection${value}`]);

const ownedBy = (owner: Any) => ({
  ownerReferences: [
    {
      ...{ apiVersion: owner.apiVersion, kind: owner.kind, controller: true },
      ...{ name: owner.metadata.name, uid: owner.metadata.uid },
    },
  ],
});

/** A Deployment with its ReplicaSet and so many pods, as the controller manager makes them. */
async function deployment(namespace: string, name: string, pods: number): Promise<void> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podOf(name).spec };
  const spec = { selector: { matchLabels: labels }, template };
  const apps = { apiVersion: "apps/v1", spec };
  const made = await create(namespace, { ...apps, kind: "Deployment", metadata: { name } });
  const set = await create(namespace, {
    ...{ ...apps, kind: "ReplicaSet" },
    metadata: { name: `${name}-7d4`, ...ownedBy(made) },
  });
  for (let i = 0; i < pods; i++)
    await create(namespace, podOf(`${name}-7d4-${i}`, { metadata: ownedBy(set) }));
}

const told = ({ reason, count, involvedObject: { kind, name } }: CoreV1Event) =>
  `${reason} ${count} ${kind}/${name}`;

test(
  "pods older than the label are told once, at their Deployment, soon after it was labelled",
  options,
  async () => {
    await bed.namespace("sweep-old");
    await deployment("sweep-old", "web", 3);
    await sweeping(async ({ sweptAgain }) => {
      await label("sweep-old", "=all");
      await someEvents("sweep-old");
      await sweptAgain("sweep-old");
      const events = await eventsIn("sweep-old");
      assert.deepEqual(events.map(told), ["SidecarMissing 1 Deployment/web"]);
      assert.equal(events[0]?.type, "Warning");
      assert.match(
        events[0]?.message ?? "",
        /^3 pods \(web-7d4-0 is one\): no sidecar: it is older than its namespace's label .*\. To do: kubectl rollout restart deployment\/web -n sweep-old$/,
      );
    });
    const described = await bed.kubectl(["describe", "deployment", "web", "-n", "sweep-old"]);
    assert.match(described, /Warning +SidecarMissing .*sallyport-controller/);
  },
);

test("the next leader does not tell again what the last one has told", options, async () => {
  await sweeping(({ sweptAgain }) => sweptAgain("sweep-old").then(() => {}));
  assert.deepEqual((await eventsIn("sweep-old")).map(told), ["SidecarMissing 1 Deployment/web"]);
});

test("what has changed is told again, and counted", options, async () => {
  await bed.kubectl([
    "delete",
    "pod",
    "web-7d4-2",
    "-n",
    "sweep-old",
    "--grace-period=0",
    "--force",
  ]);
  await sweeping(({ sweptAgain }) => sweptAgain("sweep-old").then(() => {}));
  const events = await eventsIn("sweep-old");
  assert.deepEqual(events.map(told), ["SidecarMissing 2 Deployment/web"]);
  assert.match(events[0]?.message ?? "", /^2 pods/);
  await label("sweep-old", "-");
});

test("the same is told again after an hour", options, async () => {
  await bed.namespace("sweep-hour");
  const about = { apiVersion: "v1", kind: "Pod", namespace: "sweep-hour", name: "a", uid: "u" };
  const notice = { about, reason: "SidecarMissing", message: "one" };
  const api = await bed.as("sallyport-controller");
  const minutes = (number: number) => Date.parse("2026-01-01T00:00:00Z") + number * 60_000;
  assert.equal(await giveNotice(api, notice, minutes(0)), true);
  assert.equal(await giveNotice(api, notice, minutes(59)), false);
  assert.equal(await giveNotice(api, notice, minutes(60)), true);
  assert.equal(await giveNotice(api, { ...notice, message: "two" }, minutes(61)), true);
  assert.deepEqual((await eventsIn("sweep-hour")).map(told), ["SidecarMissing 3 Pod/a"]);
});

test(
  "who opted out, cannot have one, has ended or has one that is current is not told of",
  options,
  async () => {
    const namespace = "sweep-fine";
    await bed.namespace(namespace);
    await create(namespace, podOf("host", { spec: { hostNetwork: true } }));
    const ended = await create(namespace, podOf("ended"));
    await bed.kubectl([
      ...["patch", "pod", ended.metadata.name, "-n", namespace, "--subresource=status"],
      ...["--type=merge", "-p", '{"status":{"phase":"Succeeded"}}'],
    ]);
    await label(namespace, "=all");
    const out = { metadata: { annotations: { "sallyport.dev/inject": "false" } } };
    await create(namespace, podOf("out", out));
    await create(namespace, podOf("injected"));
    await sweeping(({ sweptAgain }) => sweptAgain(namespace).then(() => {}));
    assert.deepEqual(await eventsIn(namespace), []);
  },
);

test(
  "a sidecar with a configuration of before is told at the pod that nobody owns",
  options,
  async () => {
    await sweeping(() => someEvents("sweep-fine").then(() => {}), {
      config: { policy: { mode: "audit" } },
    });
    const events = await eventsIn("sweep-fine");
    assert.deepEqual(events.map(told), ["SidecarStale 1 Pod/injected"]);
    assert.match(events[0]?.message ?? "", /another configuration .*: outsideUdp, policy/);
    await label("sweep-fine", "-");
  },
);

test("a pod whose webhook was not called is told so", options, async () => {
  await bed.namespace("sweep-missed", { "sallyport.dev/injection": "all" });
  for (const kind of ["mutating", "validating"])
    await bed.kubectl(["delete", `${kind}webhookconfiguration`, "sallyport"]);
  // A creation time has whole seconds, and one of the label's own second counts as older.
  const labelled = Date.now();
  await until(
    "the next second",
    async () => Date.now(),
    (now) => now - labelled > 1_100,
  );
  await until(
    "a pod without a sidecar",
    async () => {
      const pod = await create("sweep-missed", {
        ...podOf(""),
        metadata: { generateName: "web-" },
      });
      return pod.spec.initContainers;
    },
    (initContainers) => initContainers === undefined,
  );
  await bed.restore();
  await sweeping(() => someEvents("sweep-missed").then(() => {}));
  const [event] = await eventsIn("sweep-missed");
  assert.match(event?.message ?? "", /the webhook was not called for it/);
  await label("sweep-missed", "-");
});

test("pods of a Job are told at its CronJob", options, async () => {
  const namespace = "sweep-jobs";
  await bed.namespace(namespace);
  const spec = { template: { spec: { ...podOf("x").spec, restartPolicy: "Never" } } };
  const batch = { apiVersion: "batch/v1" };
  const nightly = await create(namespace, {
    ...{ ...batch, kind: "CronJob", metadata: { name: "nightly" } },
    spec: { schedule: "0 0 * * *", jobTemplate: { spec } },
  });
  const job = await create(namespace, {
    ...{ ...batch, kind: "Job", metadata: { name: "nightly-1", ...ownedBy(nightly) }, spec },
  });
  await create(namespace, podOf("nightly-1-a", { metadata: ownedBy(job) }));
  await label(namespace, "=all");
  await sweeping(() => someEvents(namespace).then(() => {}));
  assert.deepEqual((await eventsIn(namespace)).map(told), ["SidecarMissing 1 CronJob/nightly"]);
  await label(namespace, "-");
});

test(
  "the installation's own namespace and kube-system are passed over, whatever their label",
  options,
  async () => {
    await create("kube-system", podOf("system", { spec: { serviceAccountName: "default" } })).catch(
      async () => {
        await bed.kubectl(["create", "serviceaccount", "default", "-n", "kube-system"]);
        await create("kube-system", podOf("system"));
      },
    );
    await bed.namespace("sweep-other", { "sallyport.dev/injection": "all" });
    for (const namespace of ["kube-system", INSTALL]) await label(namespace, "=all");
    await sweeping(async ({ sweptAgain, log }) => {
      await sweptAgain("sweep-other");
      assert.ok(!log.some((line) => /kube-system|sallyport-system/.test(line)));
    });
    for (const namespace of ["kube-system", INSTALL, "sweep-other"]) await label(namespace, "-");
  },
);

test(
  "a namespace that is being deleted, which may last, keeps no other from its Events, and troubles nobody",
  options,
  async () => {
    // Nobody empties it here: there is no controller manager.
    for (const namespace of ["sweep-a-ending", "sweep-b-after-it"]) {
      await bed.namespace(namespace);
      await create(namespace, podOf("web"));
      await label(namespace, "=all");
    }
    await bed.kubectl(["delete", "namespace", "sweep-a-ending", "--wait=false"]);
    await sweeping(() => someEvents("sweep-b-after-it").then(() => {}));
    for (const namespace of ["sweep-a-ending", "sweep-b-after-it"]) await label(namespace, "-");
  },
);

test("an Event in a namespace that has begun to end meanwhile is no trouble", options, async () => {
  const about = { apiVersion: "v1", kind: "Pod", namespace: "sweep-a-ending", name: "a", uid: "u" };
  const notice = { about, reason: "SidecarMissing", message: "one" };
  const api = await bed.as("sallyport-controller");
  assert.equal(await giveNotice(api, notice, Date.now()), false);
});

test(
  "a namespace that takes no Events is told of once, and keeps no other from theirs",
  options,
  async () => {
    const refusing = "sweep-a-refusing";
    for (const namespace of [refusing, "sweep-b-willing"]) {
      await bed.namespace(namespace);
      await create(namespace, podOf("web"));
      await label(namespace, "=all");
    }
    const policy = {
      apiVersion: "admissionregistration.k8s.io/v1",
      metadata: { name: "no-events" },
    };
    const rule = {
      apiGroups: [""],
      apiVersions: ["v1"],
      operations: ["CREATE"],
      resources: ["events"],
    };
    const matchExpressions = [
      { key: "kubernetes.io/metadata.name", operator: "In", values: [refusing] },
    ];
    await bed.apply(
      {
        ...{ ...policy, kind: "ValidatingAdmissionPolicy" },
        spec: {
          matchConstraints: { resourceRules: [rule], namespaceSelector: { matchExpressions } },
          validations: [{ expression: "false", message: "no Events here" }],
        },
      },
      {
        ...{ ...policy, kind: "ValidatingAdmissionPolicyBinding" },
        spec: { policyName: "no-events", validationActions: ["Deny"] },
      },
    );
    const event = {
      ...{ apiVersion: "v1", kind: "Event", metadata: { generateName: "a-" } },
      involvedObject: { namespace: refusing },
    };
    const dryRun = ["create", "--dry-run=server", "-n", refusing, "-f", "-"];
    await until(
      "the policy",
      () => bed.kubectl(dryRun, event).catch((error: Error) => error.message),
      (said) => said.includes("no Events here"),
    );
    await sweeping(
      async ({ log }) => {
        await someEvents("sweep-b-willing");
        assert.equal(log.filter((line) => line === "debug swept sweep-b-willing").length, 1);
        await label(refusing, "-");
        await until(
          "the end of the trouble",
          async () => log.join("\n"),
          (said) => said.includes("sweeping goes on"),
        );
      },
      {
        times: { everyMs: 600_000, lookMs: 20 },
        trouble: [
          /^warn cannot create Event sweep-a-refusing\/.*no Events here/,
          /sweeping goes on/,
        ],
      },
    );
    await label("sweep-b-willing", "-");
    for (const kind of ["validatingadmissionpolicybinding", "validatingadmissionpolicy"])
      await bed.kubectl(["delete", kind, "no-events"]);
  },
);

test("nothing but events is written", options, async () => {
  const everything = async () => {
    const text = await bed.kubectl([
      ...["get", "pods,replicasets,deployments,namespaces,jobs,cronjobs", "-A", "-o", "json"],
    ]);
    return JSON.parse(text).items.map(({ metadata }: Any) => metadata.resourceVersion);
  };
  await bed.namespace("sweep-still");
  await deployment("sweep-still", "web", 2);
  await label("sweep-still", "=all");
  const before = await everything();
  await sweeping(() => someEvents("sweep-still").then(() => {}));
  assert.deepEqual(await everything(), before);
  await label("sweep-still", "-");
});

test("five hundred pods of fifty Deployments: fifty events", options, async () => {
  const namespace = "sweep-many";
  await bed.namespace(namespace);
  const list = [];
  for (let i = 0; i < 50; i++) {
    const owner = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: `app-${i}`, uid: `u${i}` },
    };
    for (let j = 0; j < 10; j++)
      list.push(podOf(`app-${i}-${j}`, { metadata: { namespace, ...ownedBy(owner) } }));
  }
  await bed.kubectl(["create", "-f", "-"], { apiVersion: "v1", kind: "List", items: list });
  await label(namespace, "=all");
  await sweeping(async () => {
    await until(
      "events",
      () => eventsIn(namespace),
      ({ length }) => length >= 50,
    );
  });
  const events = await eventsIn(namespace);
  assert.equal(events.length, 50);
  for (const { message } of events) assert.match(message ?? "", /^10 pods/);
  await label(namespace, "-");
});
