import { randomUUID } from "node:crypto";
import type { Basis } from "@sallyport/core/delivery";
import { LIMITS, type Limits } from "../../src/delivery/limits.ts";
import { policyCertificate } from "../../src/delivery/policy-certificate.ts";
import { type PolicyServer, servePolicy } from "../../src/delivery/policy-server.ts";
import { createReviewer } from "../../src/delivery/reviewer.ts";
import type { ReviewStatus } from "../../src/delivery/token-review.ts";
import { newPolicyAuthority } from "../../src/kubernetes/policy-authority.ts";
import type { Compiled, PodRef, Snapshots } from "../../src/rules/snapshots.ts";
import { SidecarClient } from "./sidecar-client.ts";

/** A controller's knowledge that a test writes: what is in it is what pods get. */
export class WrittenSnapshots implements Snapshots {
  notReady: string | undefined;
  /** What `catchUp` does, once there is something to ask the API server for. */
  onCatchUp: (pod: PodRef, basis: Basis | undefined) => Promise<{ rewound: boolean }> =
    async () => ({
      rewound: false,
    });
  readonly #found = new Map<string, NonNullable<ReturnType<Snapshots["of"]>>>();
  readonly #subscribed = new Map<string, Set<() => void>>();

  of(pod: PodRef) {
    return this.#found.get(pod.uid);
  }

  subscribe({ uid }: PodRef, onChange: () => void): () => void {
    const all = this.#subscribed.get(uid) ?? new Set();
    this.#subscribed.set(uid, all.add(onChange));
    return () => void all.delete(onChange);
  }

  catchUp(pod: PodRef, basis: Basis | undefined) {
    return this.onCatchUp(pod, basis);
  }

  write(pods: readonly PodRef[], found: ReturnType<Snapshots["of"]>): void {
    for (const { uid } of pods)
      if (found) this.#found.set(uid, found);
      else this.#found.delete(uid);
    for (const { uid } of pods) for (const onChange of this.#subscribed.get(uid) ?? []) onChange();
  }
}

/** Content that says its own number, made from what was known at `version`. */
export function compiled(revision: string, version: number, padding = 0): Compiled {
  return {
    revision,
    basis: { egressrules: String(version) },
    json: JSON.stringify({ mode: "enforce", revision, padding: "x".repeat(padding) }),
    origins: [],
  };
}

export const podNamed = (name: string, namespace = "shop"): PodRef => ({
  ...{ namespace, name, uid: randomUUID() },
});

export interface Bed extends AsyncDisposable {
  readonly server: PolicyServer;
  readonly snapshots: WrittenSnapshots;
  readonly logged: { level: string; message: string; fields?: unknown }[];
  /** What the API server says of a token; those of `tokenOf` are good unless told otherwise. */
  readonly said: Map<string, ReviewStatus | Error>;
  tokenOf(pod: PodRef): string;
  ask(
    token: string | undefined,
    more?: { request?: string; localAddress?: string },
  ): Promise<SidecarClient>;
}

/** The server with real TLS on loopback; the API server's word is the test's. */
export async function layBed(limits: Partial<Limits> = {}): Promise<Bed> {
  const authority = await newPolicyAuthority(Date.now());
  const snapshots = new WrittenSnapshots();
  const said = new Map<string, ReviewStatus | Error>();
  const logged: Bed["logged"] = [];
  const reviewer = createReviewer(async (token) => {
    const status = said.get(token);
    if (status instanceof Error) throw status;
    return status ?? { authenticated: false, error: "unknown token" };
  });
  const server = await servePolicy({
    ...{ port: 0, host: "127.0.0.1", snapshots, reviewer },
    certificate: policyCertificate(() => authority, ["127.0.0.1"]),
    limits: { ...LIMITS, strangersEach: 512, wheelMs: 50, ...limits },
    log: (level, message, fields) => void logged.push({ level, message, fields }),
  });
  const clients: SidecarClient[] = [];
  return {
    ...{ server, snapshots, logged, said },
    tokenOf: (pod) => {
      const token = `token-${pod.uid}`;
      said.set(token, statusOf(pod));
      return token;
    },
    ask: async (token, { request, localAddress } = {}) => {
      const where = {
        port: server.port,
        ca: authority.certificate,
        ...(localAddress && { localAddress }),
      };
      const client = await SidecarClient.ask(where, token, request);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of clients) socket.destroy();
      await server.close();
    },
  };
}

/** As the API server says of a pod-bound token. */
export function statusOf({ namespace, name, uid }: PodRef): ReviewStatus {
  return {
    authenticated: true,
    audiences: ["sallyport.dev/policy"],
    user: {
      username: `system:serviceaccount:${namespace}:default`,
      extra: {
        "authentication.kubernetes.io/pod-name": [name],
        "authentication.kubernetes.io/pod-uid": [uid],
      },
    },
  };
}
