import { kubectl, tryKubectl } from "./kubectl.ts";

const SECONDS = 90;

/** `condition=Ready`, `delete`, `jsonpath=…`: what `kubectl wait --for` knows. An error tells what went on meanwhile. */
export function waitFor(namespace: string, target: string, what: string): Promise<void> {
  return orWhy(namespace, ["wait", target, `--for=${what}`]);
}

/** Until the workload's pods are as its template says, and ready. */
export function rolledOut(namespace: string, workload: string): Promise<void> {
  return orWhy(namespace, ["rollout", "status", workload]);
}

async function orWhy(namespace: string, args: readonly string[]): Promise<void> {
  const timed = [...args, "--namespace", namespace, `--timeout=${SECONDS}s`];
  const { status, stdout, stderr } = await tryKubectl(timed, { seconds: SECONDS + 10 });
  if (status === 0) return;
  const pods = await kubectl("get", "pods,jobs", "--namespace", namespace, "--output=wide");
  const events = await kubectl("events", "--namespace", namespace);
  throw new Error(`kubectl ${timed.join(" ")}: ${stderr || stdout}\n${pods}\n${events}`);
}
