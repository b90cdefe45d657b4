/** The controller's side of bench:delivery: the real stream server over knowledge that is written here, told what to do by its parent. */
import { setTimeout as delay } from "node:timers/promises";
import { policyCertificate } from "@sallyport/controller/delivery/policy-certificate";
import { servePolicy } from "@sallyport/controller/delivery/policy-server";
import { createReviewer } from "@sallyport/controller/delivery/reviewer";
import { newPolicyAuthority } from "@sallyport/controller/kubernetes/policy-authority";
import type { Compiled, PodRef, Snapshots } from "@sallyport/controller/rules/snapshots";
import type { Asked, Said } from "./messages.ts";
// What a controller on a cluster has loaded besides.
import "@sallyport/controller/kubernetes/cluster";

/** About what an API server on the same machine takes for a TokenReview. */
const REVIEW_MS = 4;
const AUDIENCES = ["sallyport.dev/policy"];

const subscribed = new Set<() => void>();
let compiled: Compiled = contentOf(0);
let wroteMs = 0;
let latencies: number[] = [];

function contentOf(version: number): Compiled {
  const rules = Array.from({ length: 20 }, (_, i) => ({
    ...{ rule: `shop/rule-${i}`, entry: 0, hosts: [`service-${i}-${version}.example.com`] },
    ports: [{ port: 443, protocol: "tls" }],
  }));
  return {
    revision: `r${version}`,
    basis: { egressrules: String(version) },
    json: JSON.stringify({ mode: "enforce", namespace: "shop", rules, padding: "x".repeat(4_000) }),
    origins: [],
  };
}

const snapshots: Snapshots = {
  notReady: undefined,
  of: () => ({ compiled: { ...compiled } }),
  subscribe: (_pod: PodRef, onChange) => {
    subscribed.add(onChange);
    return () => void subscribed.delete(onChange);
  },
  catchUp: async () => ({ rewound: false }),
};

const authority = await newPolicyAuthority(Date.now());
const server = await servePolicy({
  ...{ port: 0, host: "127.0.0.1", snapshots },
  certificate: policyCertificate(() => authority, ["127.0.0.1"]),
  reviewer: createReviewer(async (token) => {
    await delay(REVIEW_MS);
    const extra = {
      "authentication.kubernetes.io/pod-name": [token],
      "authentication.kubernetes.io/pod-uid": [token],
    };
    const user = { username: "system:serviceaccount:shop:default", extra };
    return { authenticated: true, audiences: AUDIENCES, user };
  }),
  log: () => {},
});
server.fleet.listen({
  changed: () => {
    const took = performance.now() - wroteMs;
    latencies.push(took);
  },
});

const answer: { readonly [K in Asked["ask"]]: () => void } = {
  change: () => {
    compiled = contentOf(Number(compiled.revision.slice(1)) + 1);
    latencies = [];
    wroteMs = performance.now();
    for (const onChange of subscribed) onChange();
  },
  collect: () => globalThis.gc?.(),
  figures: () => {
    const cpu = process.cpuUsage();
    say({
      say: "figures",
      rss: process.memoryUsage.rss(),
      heapUsed: process.memoryUsage().heapUsed,
      cpuMs: (cpu.user + cpu.system) / 1_000,
      streams: [...server.fleet.connected()].length,
      applied: [...server.fleet.connected()].filter(
        ({ applied }) => applied?.revision === compiled.revision,
      ).length,
      refused: refusedIn(server.metrics()),
      latencies,
    });
  },
};

/** Connections that were given no stream, of whatever reason. */
function refusedIn(lines: readonly string[]): number {
  return lines
    .filter((line) => line.startsWith("sallyport_policy_refused_total{"))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function say(said: Said): void {
  process.send?.(said);
}

process.on("message", ({ ask }: Asked) => answer[ask]());
process.on("disconnect", () => process.exit());
say({ say: "listening", port: server.port, ca: authority.certificate });
