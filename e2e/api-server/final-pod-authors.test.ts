import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiException, type V1Container, type V1Pod } from "@kubernetes/client-node";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingBed;

let bed: WebhookBed;
let namespace: string;
before(async () => {
  if (skip) return;
  bed = await startWebhookBed();
  namespace = await bed.namespace("all");
});
after(() => bed?.[Symbol.asyncDispose]());

const APP: V1Container = {
  name: "app",
  image: "registry.example/web:1",
  securityContext: { runAsNonRoot: true },
};

async function create(body: V1Pod, into = namespace): Promise<V1Pod> {
  return bed.core.createNamespacedPod({ namespace: into, body });
}

/** Whatever the API server says to the one who asked. */
const saying = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApiException, String(error));
  assert.match(JSON.parse(error.body).message, pattern);
  return true;
};

const idOf = ({ metadata }: V1Pod) =>
  JSON.parse(metadata?.annotations?.["sallyport.dev/status"] ?? "null")?.uid;
const names = ({ spec }: V1Pod) => (spec?.initContainers ?? []).map(({ name }) => name);

test("a status that an author has written in advance stands in for nothing", { skip }, async () => {
  const injected = await create({
    metadata: { generateName: "web-" },
    spec: { containers: [APP] },
  });
  const status = injected.metadata?.annotations?.["sallyport.dev/status"] ?? "";
  const pod = await create({
    metadata: { generateName: "web-", annotations: { "sallyport.dev/status": status } },
    spec: { containers: [APP] },
  });
  assert.deepEqual(names(pod), ["sallyport-init", "sallyport-proxy"]);
  assert.equal(pod.spec?.initContainers?.[1]?.securityContext?.runAsUser, idOf(pod));
});

test("containers of our names that an author has written are replaced", { skip }, async () => {
  const mine = (name: string) => ({ ...APP, name, image: "registry.example/mine:1" });
  for (const spec of [
    { initContainers: [mine("sallyport-init"), mine("sallyport-proxy")], containers: [APP] },
    { containers: [APP, mine("sallyport-proxy")] },
    { initContainers: [mine("migrate"), mine("sallyport-init")], containers: [APP] },
  ]) {
    const pod = await create({ metadata: { generateName: "web-" }, spec });
    assert.deepEqual(names(pod).slice(0, 2), ["sallyport-init", "sallyport-proxy"]);
    const images = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
      .filter(({ name }) => name.startsWith("sallyport-"))
      .map(({ image }) => image);
    assert.deepEqual(images, ["sallyport/init:0.1.0", "sallyport/proxy:0.1.0"]);
  }
});

test("a volume of our name that an author has written is refused", { skip }, async () => {
  await assert.rejects(
    create({
      metadata: {
        generateName: "web-",
        annotations: { "sallyport.dev/ca-bundle": "corporate-ca" },
      },
      spec: { containers: [APP], volumes: [{ name: "sallyport-ca-bundle", emptyDir: {} }] },
    }),
    saying(/all\.pods\.sallyport\.dev.*spec\.volumes\[0\]\.name: "sallyport-ca-bundle"/),
  );
});

test("a pod that asks for a sidecar is refused where the webhook that puts it in was not called", {
  skip,
}, async () => {
  await using alone = await startWebhookBed({ without: "mutating" });
  const into = await alone.namespace("enabled");
  const asking = { "sallyport.dev/inject": "true" };
  await assert.rejects(
    create(
      { metadata: { generateName: "web-", annotations: asking }, spec: { containers: [APP] } },
      into,
    ),
    saying(
      /enabled\.final-pods\.sallyport\.dev.*it is to have a sidecar and has neither .*mutating webhook was not called/,
    ),
  );
  assert.deepEqual(
    names(await create({ metadata: { generateName: "web-" }, spec: { containers: [APP] } }, into)),
    [],
  );
});

test("what is injected is stored as it was injected, without a token, and once again when it is created again", {
  skip,
}, async () => {
  const stored = await create({
    metadata: {
      generateName: "web-",
      annotations: { "sallyport.dev/proxy-cpu": "0.50", "sallyport.dev/proxy-memory": "65536Ki" },
    },
    spec: { containers: [APP] },
  });
  const [init, proxy] = stored.spec?.initContainers ?? [];
  assert.equal(proxy?.volumeMounts, undefined);
  assert.equal(init?.volumeMounts, undefined);
  assert.match(stored.spec?.containers[0]?.volumeMounts?.[0]?.name ?? "", /^kube-api-access-/);
  assert.deepEqual(proxy?.resources?.requests, { cpu: "500m", memory: "64Mi" });

  const { resourceVersion: _, uid: _uid, name: _name, ...metadata } = stored.metadata ?? {};
  const again = await create({ ...stored, metadata });
  assert.deepEqual(names(again), ["sallyport-init", "sallyport-proxy"]);
  assert.notEqual(idOf(again), idOf(stored), "the id of a pod that is there is nobody else's");
});

/** Adds a container to a pod that is there, as kubectl debug does. */
async function debug(pod: V1Pod, container: Record<string, unknown>): Promise<V1Pod> {
  const name = pod.metadata?.name ?? "";
  const body = await bed.core.readNamespacedPod({ namespace, name });
  const there = body.spec?.ephemeralContainers ?? [];
  const spec = {
    ...body.spec,
    ephemeralContainers: [...there, { image: "busybox", ...container }],
  };
  return bed.core.replaceNamespacedPodEphemeralcontainers({
    ...{ namespace, name },
    body: { ...body, spec } as V1Pod,
  });
}

for (const [what, container, says] of [
  [
    "with NET_ADMIN",
    { securityContext: { capabilities: { add: ["NET_ADMIN"] } } },
    /with NET_ADMIN/,
  ],
  ["that is privileged", { securityContext: { privileged: true } }, /securityContext\.privileged/],
  [
    "that mounts the sidecar's volume",
    { volumeMounts: [{ name: "sallyport-ca-bundle", mountPath: "/ca" }] },
    /volumeMounts\[0\]\.name: "sallyport-ca-bundle"/,
  ],
  [
    "that shares the sidecar's processes and may be root",
    { targetContainerName: "sallyport-proxy" },
    /targetContainerName: root could stop or inspect sallyport-proxy/,
  ],
] as const)
  test(`an ephemeral container ${what} is refused`, { skip }, async () => {
    const pod = await create({
      metadata: {
        generateName: "web-",
        annotations: { "sallyport.dev/ca-bundle": "corporate-ca" },
      },
      spec: { containers: [APP] },
    });
    const refused = saying(
      new RegExp(
        `all\\.final-pods\\.sallyport\\.dev.*refuses this ephemeral container.*: spec\\.ephemeralContainers\\[0\\].*${says.source}`,
      ),
    );
    await assert.rejects(debug(pod, { name: "debug", ...container }), refused);
  });

test("an ephemeral container that runs as the sidecar's user or group is refused, whatever the status says by then", {
  skip,
}, async () => {
  const pod = await create({ metadata: { generateName: "web-" }, spec: { containers: [APP] } });
  const id = idOf(pod);
  const name = pod.metadata?.name ?? "";
  await bed.kubectl(["annotate", "pod", name, "-n", namespace, "sallyport.dev/status-"]);
  for (const field of ["runAsUser", "runAsGroup"])
    await assert.rejects(
      debug(pod, { name: "debug", securityContext: { [field]: id } }),
      saying(
        new RegExp(
          `ephemeralContainers\\[0\\]\\.securityContext\\.${field}: ${id} is the sidecar's own`,
        ),
      ),
    );
});

test("kubectl debug is let through where it can do no harm, and warns of root and of what the image may say", {
  skip,
}, async () => {
  const pod = await create({ metadata: { generateName: "web-" }, spec: { containers: [APP] } });
  const name = pod.metadata?.name ?? "";
  const run = (profile: string) =>
    bed.kubectl(["debug", name, "-n", namespace, "--image=busybox", `--profile=${profile}`]);
  const restricted = await run("restricted");
  assert.equal(restricted.status, 0, restricted.stderr);
  assert.match(restricted.stderr, /^Warning: debugger-\w+ runs as its image's USER/m);
  assert.doesNotMatch(restricted.stderr, /root/);
  const baseline = await run("baseline");
  assert.equal(baseline.status, 0, baseline.stderr);
  assert.match(baseline.stderr, /Warning: debugger-\w+ may run as root with NET_RAW/);
  const general = await run("general");
  assert.match(
    general.stderr,
    /--profile=restricted, or baseline\): spec\.ephemeralContainers\[2\].* with SYS_PTRACE can read/,
  );
  assert.match((await run("netadmin")).stderr, /with NET_ADMIN/);
  assert.match((await run("sysadmin")).stderr, /privileged/);
  const after = await bed.core.readNamespacedPod({ namespace, name });
  assert.equal(after.spec?.ephemeralContainers?.length, 2);
});

test("kubectl debug of a pod that says as whom it runs is warned of nothing", {
  skip,
}, async () => {
  const pod = await create({
    metadata: { generateName: "web-" },
    spec: { containers: [APP], securityContext: { runAsUser: 1_000 } },
  });
  const name = pod.metadata?.name ?? "";
  const { status, stderr } = await bed.kubectl([
    ...["debug", name, "-n", namespace, "--image=busybox", "--profile=restricted"],
  ]);
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /Warning/);
});

test("an image that was made for the sidecar's user is let in, and counts for nothing where the pod says as whom it runs", {
  skip,
}, async () => {
  for (const securityContext of [{}, { runAsUser: 1_000 }]) {
    const pod = await create({
      metadata: { generateName: "web-" },
      spec: { containers: [APP], securityContext },
    });
    const name = pod.metadata?.name ?? "";
    const image = `registry.example/user-${idOf(pod)}:1`;
    const { status } = await bed.kubectl([
      ...["set", "image", `pod/${name}`, `app=${image}`, "-n", namespace],
    ]);
    assert.equal(status, 0);
    const debugged = await debug(pod, {
      name: "debug",
      image,
      securityContext: APP.securityContext,
    });
    const effective = [
      ...(debugged.spec?.containers ?? []),
      ...(debugged.spec?.ephemeralContainers ?? []),
    ].map((one) => one.securityContext?.runAsUser ?? debugged.spec?.securityContext?.runAsUser);
    assert.deepEqual(effective, [securityContext.runAsUser, securityContext.runAsUser]);
  }
});

test("as whom a pod's containers run cannot be changed in a pod that is there", {
  skip,
}, async () => {
  const pod = await create({
    metadata: { generateName: "web-" },
    spec: { containers: [APP], securityContext: { runAsUser: 1_000 } },
  });
  const name = pod.metadata?.name ?? "";
  const { stderr } = await bed.kubectl([
    ...["patch", "pod", name, "-n", namespace],
    ...["--patch", JSON.stringify({ spec: { securityContext: { runAsUser: idOf(pod) } } })],
  ]);
  assert.match(stderr, /pod updates may not change fields/);
});

test("in a pod without a sidecar kubectl debug is nobody's business", { skip }, async () => {
  const pod = await create({
    metadata: { generateName: "web-", annotations: { "sallyport.dev/inject": "false" } },
    spec: { containers: [APP] },
  });
  const added = await debug(pod, { name: "debug", securityContext: { privileged: true } });
  assert.equal(added.spec?.ephemeralContainers?.length, 1);
});

test("kubectl set image makes of the sidecar nothing but the installation's own, and of the app what it likes", {
  skip,
}, async () => {
  const pod = await create({ metadata: { generateName: "web-" }, spec: { containers: [APP] } });
  const name = pod.metadata?.name ?? "";
  const set = (change: string) =>
    bed.kubectl(["set", "image", `pod/${name}`, change, "-n", namespace]);
  for (const ours of ["sallyport-proxy", "sallyport-init"])
    assert.match(
      (await set(`${ours}=registry.example/mine:1`)).stderr,
      new RegExp(`all\\.final-pods\\.sallyport\\.dev.*the image of ${ours}: it cannot become`),
    );
  const asked = () => bed.lines.filter(({ operation }) => operation === "UPDATE").length;
  const before = asked();
  assert.equal((await set("app=registry.example/web:2")).status, 0);
  await bed.kubectl(["label", "pod", name, "team=a", "-n", namespace]);
  assert.equal(asked(), before, "of other changes nothing is asked");
});
