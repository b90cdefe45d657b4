/**
 * `mistake-main.ts LISTENER ADDRESS PORT`: apps dial ADDRESS, and a redirect brings them to a sidecar's connections, whose
 * policy permits nothing. It fails when it is asked about the first app, and while the second one's record is written.
 * Prints what was told of mistakes, and the reasons of the records, one for each app.
 */
import { connect } from "node:net";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import { Connections } from "@sallyport/proxy/connections";
import { ProxyConfig } from "@sallyport/proxy/contract";
import { Names } from "@sallyport/proxy/resolve/names";

const [listener, address = "", port] = process.argv.slice(2);
const pod = { name: "web-0", namespace: "shop" };
const policy = new Policy(
  snapshotOf(PolicySource.parse({ mode: "enforce", pod: { namespace: pod.namespace } })),
);
const told: string[] = [];
const reasons: string[] = [];
let fails: "judging" | "recording" | undefined;
const failOnce = (when: typeof fails) => {
  if (fails !== when) return;
  fails = undefined;
  throw new Error(`a mistake while ${when}`);
};
const connections = new Connections(
  [{ address: "127.0.0.1", port: Number(listener) }],
  ProxyConfig.parse({}),
  {
    ...{ pod, authorities: [], now: Date.now, onAccepting: () => {} },
    names: new Names({ servers: [], now: Date.now }),
    policy: () => {
      failOnce("judging");
      return policy;
    },
    onRecord: ({ reason }) => {
      failOnce("recording");
      reasons.push(reason);
    },
    onMistake: (error) => told.push((error as Error).message),
  },
);

/** Until the sidecar has ended it. */
async function visit(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = connect(Number(port), address);
  app.on("error", () => {}).on("close", () => resolve());
  app.resume();
  await promise;
  await connections.idle();
}

for (const failing of ["judging", "recording", undefined] as const) {
  fails = failing;
  await visit();
}
console.log(JSON.stringify({ told, reasons }));
await connections.stop();
