import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Job, V1Pod } from "@kubernetes/client-node";
import { fetchOnce, shell } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, list, read } from "./support/kubectl.ts";
import { cronJob, INJECTED, job } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { RunningKubectl } from "./support/running-kubectl.ts";
import { hasSidecar, PROXY, recordsOf } from "./support/sidecar.ts";
import { targetIn } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-jobs", ENABLED);
targetIn(namespace);

/** How the sidecar ended. */
const sidecarsEnd = ({ status }: V1Pod) =>
  status?.initContainerStatuses?.find(({ name }) => name === PROXY)?.state?.terminated?.exitCode;

// It runs at the next full minute: it is created first, and looked at last.
test("a CronJob is created", { skip }, async () => {
  const spec = { containers: [fetchOnce("app", "http://target:8002/cron")] };
  await apply(namespace, cronJob("each-minute", spec, INJECTED));
});

test("a Job completes, and its sidecar ends with its app", { skip }, async () => {
  const spec = { containers: [fetchOnce("app", "http://target:8001/job")] };
  await apply(namespace, job("once", spec, INJECTED));
  await waitFor(namespace, "job/once", "condition=Complete");

  const [pod, ...others] = await list<V1Pod>(namespace, "pods", "job-name=once");
  assert.ok(pod);
  assert.equal(others.length, 0);
  assert.equal(hasSidecar(pod), true);
  assert.equal(pod.status?.phase, "Succeeded");
  assert.equal(sidecarsEnd(pod), 0);
  const records = await recordsOf(namespace, pod.metadata?.name ?? "");
  assert.deepEqual(
    records.map(({ verdict, original_port, closed_how }) => [verdict, original_port, closed_how]),
    [["allow", 8001, "end"]],
  );
});

test("a Job whose app fails has failed, and its sidecar does not hide it", { skip }, async () => {
  await apply(namespace, job("failing", { containers: [shell("app", "exit 3")] }, INJECTED));
  await waitFor(namespace, "job/failing", "condition=Failed");

  const [pod] = await list<V1Pod>(namespace, "pods", "job-name=failing");
  assert.ok(pod);
  assert.equal(hasSidecar(pod), true);
  assert.equal(pod.status?.phase, "Failed");
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
  assert.equal(sidecarsEnd(pod), 0);
});

test("a Job that is annotated later is told that its pods are made already", { skip }, async () => {
  await apply(namespace, job("earlier", { containers: [shell("app", "true")] }));
  await waitFor(namespace, "job/earlier", "condition=Complete");
  await using annotate = new RunningKubectl(
    ...["annotate", "job", "earlier", "sallyport.dev/inject=true", "--namespace", namespace],
  );
  const said = (await annotate.end()).join("\n");
  assert.match(said, /^Warning: .*Job/m);
  const { spec } = await read<V1Job>(namespace, "job", "earlier");
  assert.equal(spec?.template.metadata?.annotations?.["sallyport.dev/inject"], undefined);
});

test("a CronJob's pods complete", { skip }, async () => {
  await using jobs = new RunningKubectl(
    ...["get", "jobs", "--namespace", namespace, "--watch"],
    ...["--output", "jsonpath={.metadata.name} {.status.succeeded}{'\\n'}"],
  );
  const name = await jobs.line((line) => /^(each-minute-\d+) 1$/.exec(line)?.[1], 100);
  const [pod] = await list<V1Pod>(namespace, "pods", `job-name=${name}`);
  assert.ok(pod);
  assert.equal(hasSidecar(pod), true);
  assert.equal(pod.status?.phase, "Succeeded");
  assert.match(await kubectl("logs", pod.metadata?.name ?? "", "-n", namespace), /the target/);
  assert.equal((await recordsOf(namespace, pod.metadata?.name ?? ""))[0]?.original_port, 8002);
});
