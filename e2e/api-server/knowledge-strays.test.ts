import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lackingApiServer } from "../cluster/api-server.ts";
import { type KnowledgeBed, startKnowledgeBed } from "./knowledge-bed.ts";

const skip = lackingApiServer();
let bed: KnowledgeBed;

before(async () => {
  if (!skip) bed = await startKnowledgeBed();
});
after(() => bed?.[Symbol.asyncDispose]());

const NAMESPACE = "strays";
const slice = (pod: string, address: string) =>
  bed.discovery.createNamespacedEndpointSlice({
    namespace: NAMESPACE,
    body: {
      metadata: { name: `db-${pod}`, labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      endpoints: [
        { addresses: [address], targetRef: { kind: "Pod", name: pod, namespace: NAMESPACE } },
      ],
      ports: [{ name: "sql", port: 5432 }],
    },
  });

test("a Service of pods in no known range does not lead out while they come and go, in whichever order it is told; one that only names a pod does", {
  skip,
}, async () => {
  await bed.namespace(NAMESPACE);
  await bed.core.createNamespacedService({
    namespace: NAMESPACE,
    body: { metadata: { name: "db" }, spec: { ports: [{ name: "sql", port: 5432 }] } },
  });
  const it = await bed.pod(NAMESPACE, "it");
  await bed.snapshot(it, "a policy", () => true);
  let ledOut = 0;
  const end = bed.knowledge.subscribe(it, () => {
    ledOut += Number(/"leadingOut":\[\{/.test(bed.knowledge.of(it)?.compiled?.json ?? ""));
  });
  const pods = Array.from({ length: 10 }, (_, i) => [`db-${i}`, `192.168.77.${i + 1}`] as const);
  const counts = (isSo: (count: number) => boolean) =>
    bed.snapshot(it, "their addresses", ({ cluster }) =>
      isSo(cluster.ranges.filter((range) => range.startsWith("192.168.77.")).length),
    );
  for (const [name, podIP] of pods) {
    await bed.pod(NAMESPACE, name);
    // In the order in which a cluster writes them; each is another watch's news.
    await bed.podStatus(NAMESPACE, name, { podIP, podIPs: [{ ip: podIP }] });
    await slice(name, podIP);
  }
  await counts((count) => count === pods.length);
  for (const [name] of pods)
    await bed.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 });
  await counts((count) => count === 0);
  end();
  assert.equal(ledOut, 0);

  await slice("nobody", "203.0.113.9");
  const { cluster } = await bed.snapshot(it, "it leads out", (each) =>
    each.cluster.leadingOut.some(({ name }) => name === "db"),
  );
  assert.ok(
    cluster.leadingOut[0]?.ports[0]?.endpoints.some(({ address }) => address === "203.0.113.9"),
  );
});
