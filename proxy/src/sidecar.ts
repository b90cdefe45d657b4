import type { PolicySource } from "@sallyport/core/policy-source";
import { spokenPorts } from "@sallyport/core/snapshot";
import { insightInto } from "./admin/insight.ts";
import { adminRoutes, readyRoutes } from "./admin/routes.ts";
import { serve } from "./admin/server.ts";
import { BoundedWriter } from "./bounded-writer.ts";
import { Connections, type Surroundings } from "./connections.ts";
import type { ProxyConfig } from "./contract.ts";
import { DeliveredPolicy } from "./delivery/delivered-policy.ts";
import type { StreamLimits } from "./delivery/limits.ts";
import { Destinations } from "./destinations.ts";
import { EngineError } from "./engine.ts";
import { readBundles, TrustError } from "./http/trust.ts";
import type { Log } from "./log.ts";
import { type Given, givenBy, PolicyHolder } from "./policy-holder.ts";
import { RecentRecords } from "./recent-records.ts";
import { Names } from "./resolve/names.ts";
import { TrafficStats } from "./stats.ts";

export interface SidecarOptions {
  readonly config: ProxyConfig;
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly log: Log;
  /** Where the access log goes; the descriptor stays the caller's. */
  readonly accessLogFd: number;
  readonly now: () => number;
  /** Of the stream of policy; the defaults unless given. */
  readonly streamLimits?: Partial<StreamLimits>;
}

export interface Sidecar {
  readonly ports: { readonly outbound: number; readonly admin: number; readonly ready: number };
  /** Resolves when the controllers have given the first policy; undefined where there was one from the start. */
  readonly firstPolicy: Promise<void> | undefined;
  /**
   * True if it differs from the one in force: it holds at once, for open connections too. Where the controllers give the
   * policy, nobody else does.
   */
  applyPolicy(source: PolicySource): boolean;
  /** A policy that cannot be used changes nothing and is reported. */
  rejectPolicy(problem: string): void;
  /** Reads the bundles of authorities again. What cannot be used changes nothing and is logged. */
  readTrust(): void;
  /** Takes new connections for `drain.minMs`, waits for open ones until `drain.maxMs`, then resets what is left. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** As many as /decisions shows. */
const RECENT_RECORDS = 200;

/** How much later than it could a record may be read: what comes in this time leaves in one write. */
const ACCESS_LOG_GATHER_MS = 10;

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

/** Everything of the sidecar, wired; resolves when it serves. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { config, pod, log, now } = options;
  checkUser(config);
  const startedMs = now();
  const { control } = config;
  const policy = new PolicyHolder(control ? undefined : givenBy(config.policy), startedMs);
  const names = new Names({ servers: config.policy.resolvers, now });
  const traffic = new TrafficStats();
  const destinations = new Destinations();
  const recent = new RecentRecords(RECENT_RECORDS);
  const { queueBytes } = config.accessLog;
  const accessLog = new BoundedWriter(options.accessLogFd, queueBytes, ACCESS_LOG_GATHER_MS);
  let phase: string | undefined = "starting";
  const notReady = () =>
    phase ?? (policy.given ? undefined : "there is no policy from the controllers yet");
  const first = Promise.withResolvers<void>();

  const connections = openConnections(config, {
    pod,
    names,
    authorities: readBundles(config.upstreamTls.caFiles),
    policy: () => policy.policy,
    now,
    onRecord: (record) => {
      traffic.add(record);
      destinations.add(record);
      recent.add(record);
      delivered?.reports.add(record);
      const { select } = config.accessLog;
      if (select === "all" || (select === "denied" && isTrouble(record)))
        accessLog.line(JSON.stringify(record));
    },
    onMistake: (error) =>
      log("error", `a mistake of the sidecar's own has cost a connection: ${stackOf(error)}`),
    onAccepting: (paused, error) =>
      paused
        ? log("error", `new connections wait: ${error}; raise the limit of open files`)
        : log("info", "new connections are taken again"),
  });

  const follow = () => {
    const { resolvers } = policy.snapshot;
    // Controllers that have not found out which they are leave it at the configuration's.
    if (resolvers.length > 0 || !control) names.setServers(resolvers);
    names.keep(policy.policy.tcpNames);
    connections.listenFirst(spokenPorts(policy.snapshot));
  };
  const inForce = () => {
    follow();
    const { version, given } = policy;
    const { from, revision } = given ?? {};
    log("info", "policy applied", { version, mode: policy.policy.mode, from, revision });
    first.resolve();
    void connections.reconsider();
  };
  const apply = (given: Given) => {
    const isAnother = policy.apply(given, now());
    if (isAnother) inForce();
    return isAnother;
  };
  const delivered =
    control &&
    new DeliveredPolicy({
      ...{ config: { ...config, control }, policy, inForce, log, now },
      lookup: (name) => names.lookup(name),
      limits: options.streamLimits,
    });
  if (policy.given) follow();
  delivered?.start();

  const insight = insightInto({
    ...{ pod, config, policy, names, connections, traffic, destinations, recent, accessLog },
    ...{ startedMs, now, notReady, delivered },
  });

  const admin = await serve(
    adminRoutes(insight),
    { host: "127.0.0.1", port: config.ports.admin },
    LOOPBACK_NAMES,
  );
  const ready = await servePodAddress(readyRoutes(insight), config.ports.ready);
  const close = async () => {
    admin.close();
    ready.close();
    await connections.stop();
    await delivered?.close();
    names.close();
    await accessLog.flush(1_000);
  };

  phase = undefined;

  return {
    firstPolicy: policy.given ? undefined : first.promise,
    ports: {
      outbound: connections.ports[0] ?? config.ports.outbound,
      admin: admin.port,
      ready: ready.port,
    },
    applyPolicy: (source) => !control && apply(givenBy(source)),
    rejectPolicy: (problem) => {
      policy.reject(problem);
      log("error", `the policy in force stays: ${problem}`);
    },
    readTrust: () => {
      try {
        connections.trust(readBundles(config.upstreamTls.caFiles));
        log("info", "the bundles of authorities have changed and are used");
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        log("error", `the authorities in use stay: ${error.message}`);
      }
    },
    drain: async () => {
      phase = "draining";
      const { minMs, maxMs } = config.drain;
      const startedDrainMs = now();
      await delay(Math.min(minMs, maxMs));
      connections.retire();
      await Promise.race([connections.idle(), delay(maxMs - (now() - startedDrainMs))]);
      const cut = connections.cut();
      if (cut > 0) log("warn", `drain ended with ${cut} connections open; they were reset`);
      await close();
    },
    close,
  };
}

/**
 * On loopback only, because REDIRECT delivers there and other pods cannot reach it; on IPv4 alone where the kernel has no
 * IPv6.
 */
function openConnections(config: ProxyConfig, around: Surroundings): Connections {
  const { ports } = config;
  const ipv4 = { address: "127.0.0.1", port: ports.outbound };
  try {
    const ipv6 = { address: "::1", port: ports.outbound };
    return new Connections([ipv4, ipv6], config, around);
  } catch (error) {
    const code = error instanceof EngineError ? error.code : "";
    if (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT")
      throw new Error(
        `cannot listen on port ${ports.outbound} of 127.0.0.1 and ::1: ${code}; is another sidecar running?`,
        { cause: error },
      );
    return new Connections([ipv4], config, around);
  }
}

/** Run as anybody else, the sidecar's own connections would be redirected to itself, without end. */
function checkUser({ user }: ProxyConfig): void {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  if (user && (user.uid !== uid || user.gid !== gid))
    throw new Error(
      `the sidecar runs as uid ${uid} gid ${gid}, but iptables spares uid ${user.uid} gid ${user.gid}: ` +
        "its connections would come back to it; run it as that user, or run init for this one",
    );
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Denials, failures, and what audit mode let pass that enforce would not. */
function isTrouble({ reason }: { readonly reason: string }): boolean {
  return !reason.startsWith("allowed.") || reason === "allowed.audit";
}

/** Both families where the kernel has both: the kubelet comes to the pod's address, whichever that is. */
async function servePodAddress(routes: ReturnType<typeof readyRoutes>, port: number) {
  try {
    return await serve(routes, { host: "::", port });
  } catch {
    return serve(routes, { host: "0.0.0.0", port });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms)).unref();
  });
}
