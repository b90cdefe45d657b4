import { type V1Lease, type V1LeaseSpec, V1MicroTime } from "@kubernetes/client-node";
import type { Log } from "../log.ts";
import { attempt, hasStatus } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { claim, LEASE_TIMES, type LeaseTimes, surrender } from "./lease-claim.ts";
import { logOnce } from "./log-once.ts";
import { pause } from "./pause.ts";

export interface Leadership {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Nobody else's, ever: two holders of one identity would both lead. */
  readonly identity: string;
  /** Runs while we lead; it ends soon after its signal is given. */
  readonly task: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly times?: LeaseTimes;
}

/**
 * Leads whenever nobody else does, by client-go's rules, until the signal is given; then gives the lease back, so that
 * another takes over without waiting for it to run out. At most one leads, as far as clocks run equally fast: what a leader
 * writes is to be guarded by resource versions all the same.
 */
export async function lead(leadership: Leadership, signal: AbortSignal): Promise<void> {
  const { retryMs } = leadership.times ?? LEASE_TIMES;
  const lease = leaseOf(leadership);
  while (!signal.aborted) {
    if ((await lease.tryToHold()) === "ours") await reign(leadership, lease, signal);
    await pause(retryMs * (1 + Math.random() * 1.2), signal);
  }
}

/** From the moment when the lease is ours until it is not. */
async function reign(leadership: Leadership, lease: Lease, signal: AbortSignal): Promise<void> {
  const { identity, task, log, times = LEASE_TIMES } = leadership;
  const end = new AbortController();
  const reigning = AbortSignal.any([signal, end.signal]);
  log("info", "leading", { identity });
  const work = task(reigning)
    .catch((error: Error) => log("error", "a leader's task failed", { error: error.stack }))
    .finally(() => end.abort());
  let renewedAt = performance.now();
  let lost = false;
  while (!reigning.aborted) {
    await pause(times.retryMs, reigning);
    if (reigning.aborted) break;
    const began = performance.now();
    // A request that hangs does not keep us leading.
    const held = await Promise.race([
      lease.tryToHold(),
      pause(renewedAt + times.renewMs - began, reigning),
    ]);
    if (held === "ours") renewedAt = began;
    lost = held === "another's" || performance.now() - renewedAt >= times.renewMs;
    if (lost) break;
  }
  end.abort();
  await work;
  if (!lost) await lease.giveBack();
  log(lost ? "warn" : "info", lost ? "leading no more: the lease is lost" : "leading no more");
}

interface Lease {
  /** Takes or renews it. `unknown`: the API server did not say, or somebody was faster. */
  tryToHold(): Promise<"ours" | "another's" | "unknown">;
  giveBack(): Promise<void>;
}

function leaseOf({ api, namespace, name, identity, log, times = LEASE_TIMES }: Leadership): Lease {
  const what = `Lease ${namespace}/${name}`;
  const told = logOnce(log);
  let seen = { version: "", atMs: 0 };

  const read = () =>
    attempt("get", what, () => api.coordination.readNamespacedLease({ namespace, name }));
  const write = (lease: V1Lease, spec: V1LeaseSpec) =>
    attempt("update", what, () =>
      api.coordination.replaceNamespacedLease({ namespace, name, body: { ...lease, spec } }),
    );
  const create = (spec: V1LeaseSpec) =>
    attempt("create", what, () =>
      api.coordination.createNamespacedLease({ namespace, body: { metadata: { name }, spec } }),
    );
  const me = { identity, leaseMs: times.leaseMs };

  const hold = async () => {
    let lease: V1Lease;
    try {
      lease = await read();
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      await create(claim(undefined, me, 0, new V1MicroTime()) ?? {});
      return "ours";
    }
    const version = lease.metadata?.resourceVersion ?? "";
    if (version !== seen.version) seen = { version, atMs: performance.now() };
    const spec = claim(lease.spec, me, performance.now() - seen.atMs, new V1MicroTime());
    if (!spec) return "another's";
    await write(lease, spec);
    return "ours";
  };
  return {
    tryToHold: async () => {
      try {
        const held = await hold();
        told.fine(`${what} can be read and written again`);
        return held;
      } catch (error) {
        // Somebody else was faster: the next look shows who.
        if (!hasStatus(error, 409)) told.trouble(error, "warn");
        return "unknown";
      }
    },
    giveBack: async () => {
      try {
        const lease = await read();
        if (lease.spec?.holderIdentity === identity)
          await write(lease, surrender(lease.spec, new V1MicroTime()));
      } catch (error) {
        log("warn", (error as Error).message);
      }
    },
  };
}
