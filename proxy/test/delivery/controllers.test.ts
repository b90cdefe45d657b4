import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { policyCertificate } from "@sallyport/controller/delivery/policy-certificate";
import { servePolicy } from "@sallyport/controller/delivery/policy-server";
import { createReviewer } from "@sallyport/controller/delivery/reviewer";
import { newPolicyAuthority } from "@sallyport/controller/kubernetes/policy-authority";
import type { Compiled, PodRef } from "@sallyport/controller/rules/snapshots";
import type { ReportRow } from "@sallyport/core/delivery";
import type { PolicySourceInput } from "@sallyport/core/policy-source";
import { podNamed, statusOf, WrittenSnapshots } from "../../../controller/test/delivery/bed.ts";
import { snapshotLine, until } from "../support/control-server.ts";
import { record } from "../support/record.ts";
import { DeliveryBed } from "./bed.ts";

/** Both ends as they are: the sidecar's, and the controllers' server. What is known of pods and tokens, the test says. */
async function controllers(t: TestContext, pod: PodRef) {
  const authority = await newPolicyAuthority(Date.now());
  const snapshots = new WrittenSnapshots();
  const server = await servePolicy({
    ...{ port: 0, host: "127.0.0.1", snapshots },
    certificate: policyCertificate(() => authority, ["127.0.0.1"]),
    reviewer: createReviewer(async (token) =>
      token === "the.pods.token"
        ? statusOf(pod)
        : { authenticated: false, error: "it has expired, they say" },
    ),
    log: () => {},
  });
  t.after(() => server.close());
  const control = { host: "127.0.0.1", port: server.port, ca: authority.certificate };
  return { server, snapshots, control };
}

function compiled(revision: string, version: string, source: PolicySourceInput): Compiled {
  const { basis, snapshot } = snapshotLine(revision, source, { egressrules: version });
  return { revision, basis, json: JSON.stringify(snapshot), origins: [] };
}

test("the sidecar and the controllers understand each other, from the first policy to the last report", async (t) => {
  const pod = podNamed("web-0");
  const { server, snapshots, control } = await controllers(t, pod);
  const rows: ReportRow[] = [];
  server.fleet.listen({ reported: (_, reported) => void rows.push(...reported) });
  snapshots.write([pod], { compiled: compiled("r1", "1", { mode: "enforce" }) });
  const bed = await DeliveryBed.open(t, { control, token: "the.pods.token" });
  const applied = (revision: string) =>
    until(
      () => [...server.fleet.connected()].some((each) => each.applied?.revision === revision),
      `${revision} to be applied`,
    );
  await applied("r1");
  assert.equal(bed.policy.policy.mode, "enforce");

  snapshots.write([pod], { compiled: compiled("r2", "2", { mode: "audit" }) });
  await applied("r2");
  assert.equal(bed.policy.policy.mode, "audit");

  const poison = compiled("r3", "3", {});
  snapshots.write([pod], { compiled: { ...poison, json: '{"schema":1,"quota":{}}' } });
  await until(
    () => [...server.fleet.connected()].some(({ problem }) => problem?.includes("quota")),
    "the problem",
  );
  assert.equal(bed.policy.given?.revision, "r2");

  for (let i = 0; i < 5; i++) bed.delivered.reports.add(record());
  await until(() => rows.reduce((sum, { count }) => sum + count, 0) === 5, "the report");
  assert.deepEqual(bed.delivered.state.connected, true);
});

test("what a sidecar has is not sent again, and a refusal comes in the controllers' words", async (t) => {
  const pod = podNamed("web-0");
  const { server, snapshots, control } = await controllers(t, pod);
  snapshots.write([pod], { compiled: compiled("r1", "1", { mode: "enforce" }) });
  const first = await DeliveryBed.open(t, { control, token: "the.pods.token" });
  await until(() => first.applied === 1, "the policy");
  await first.delivered.close();
  const { folder } = first;
  const second = await DeliveryBed.open(t, { control, folder, token: "an.old.token" });
  await until(() => second.told(/refuses the stream \(401\): .+/) === 1, "the refusal");
  assert.equal(second.policy.given?.from, "kept");
  second.giveToken("the.pods.token");
  await until(() => second.policy.given?.from === "controllers", "its being current");
  assert.match(server.metrics().join("\n"), /sallyport_policy_current_total 1/);
  assert.equal(second.applied, 1);
});

test("controllers that end let go of the sidecar in order, and it looks for others", async (t) => {
  const pod = podNamed("web-0");
  const { server, snapshots, control } = await controllers(t, pod);
  snapshots.write([pod], { compiled: compiled("r1", "1", { mode: "enforce" }) });
  const bed = await DeliveryBed.open(t, { control, token: "the.pods.token" });
  await until(() => bed.applied === 1, "the policy");
  await server.drain(10);
  await until(() => bed.told(/no stream of policy: cannot connect/) === 1, "attempts elsewhere");
  assert.equal(bed.policy.given?.revision, "r1");
});
