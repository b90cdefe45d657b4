import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "node:tls";
import { apiServer, lacking } from "../cluster/given.ts";
import { type Installation, install, type Replica, SHORT } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods, guarded } from "./pod-load.ts";

const skip = lacking || lackingHelm();
const STEPS = [
  "certificate: the first one is made",
  "certificate: the next one is made, to be trusted beside the one in use",
  "certificate: the next one is served from now on",
  "certificate: the one before is trusted no more",
];

test("a certificate is rotated under load: no admission fails, and each replica is trusted at every moment", {
  skip,
}, async (t) => {
  await using installation = await install(await apiServer());
  const replicas = await Promise.all([installation.replica(SHORT), installation.replica(SHORT)]);
  await guarded(installation);
  const watching = new AbortController();
  const watched = trustedThroughout(installation, replicas, watching.signal);
  await using load = createPods(installation, 50);
  await Promise.any(replicas.map((replica) => replica.line(STEPS[3] ?? "", 150)));
  watching.abort();
  const { connections, untrusted, bundles } = await watched;
  const { created, failures } = await load.stop();
  t.diagnostic(`${created} pods, ${connections} connections, ${bundles} caBundles`);
  assert.deepEqual(failures, []);
  assert.deepEqual(untrusted, []);
  assert.ok(created > 300 && connections > 30, `${created} pods, ${connections} connections`);
  assert.equal(bundles, 3, "one authority, both, the other");
  const said = replicas
    .flatMap(({ lines }) => lines)
    .filter(({ message }) => message.startsWith("certificate: "))
    .toSorted((a, b) => String(a.time).localeCompare(String(b.time)));
  assert.deepEqual(
    said.map(({ message }) => message),
    STEPS,
  );
});

/** Trusting what the API server trusts, it connects to each replica anew, again and again. */
async function trustedThroughout(
  { entries }: Installation,
  replicas: readonly Replica[],
  signal: AbortSignal,
) {
  const untrusted: string[] = [];
  const bundles = new Set<string>();
  let connections = 0;
  while (!signal.aborted) {
    const found = (await entries()).map(({ clientConfig }) => clientConfig.caBundle ?? "");
    for (const bundle of found) bundles.add(bundle);
    // API servers hear of a caBundle a moment later.
    await delay(200);
    for (const ca of new Set(found))
      for (const { port } of replicas) {
        connections++;
        const problem = await handshake(port, Buffer.from(ca, "base64"));
        if (problem) untrusted.push(`${new Date().toISOString()} ${problem}`);
      }
  }
  return { connections, untrusted, bundles: bundles.size };
}

function handshake(port: number, ca: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on("error", ({ message }) => resolve(message));
  });
}
