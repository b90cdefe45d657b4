import type { InjectionOptions } from "../admission/options.ts";
import type { Prerequisite } from "../certificate-source.ts";
import { policyCertificate } from "../delivery/policy-certificate.ts";
import { type PolicyServer, servePolicy } from "../delivery/policy-server.ts";
import { createReviewer } from "../delivery/reviewer.ts";
import type { Log } from "../log.ts";
import type { Knowledge } from "../rules/knowledge.ts";
import { watchKnowledge } from "../rules/watch-knowledge.ts";
import { keepStatus } from "../status/keep-status.ts";
import type { PolicyControl } from "../webhook.ts";
import type { KubernetesApi } from "./client.ts";
import { keepPolicyAuthority, policyAuthorityFromSecret } from "./policy-authority.ts";
import type { SecretStore } from "./secret-store.ts";
import { tokenReviews } from "./token-reviews.ts";

/** The Service's own port: what its pods listen on is the installation's to choose. */
const SERVICE_PORT = 8_444;

export interface DeliveryOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly port: number;
  /** What sidecars call the Service by, whole; and everything it may be called. */
  readonly host: string;
  readonly names: readonly string[];
  /** Where the policy CA lies. */
  readonly store: SecretStore;
  readonly injection: InjectionOptions;
  readonly identity: string;
  readonly leading: () => boolean;
  readonly log: Log;
}

/** From rules and boundaries to sidecars, and back to their status. */
export interface Delivery {
  readonly knowledge: Knowledge;
  /** No pod can be admitted before it is known whom its sidecar is to trust. */
  readonly authority: Prerequisite;
  /** Nor before it is known which boundaries there are: one may require the sidecar. */
  readonly boundaries: Prerequisite;
  /** Nor before it is known where the cluster's name server is: the rules for a pod's packets are made once. */
  readonly network: Prerequisite;
  readonly control: () => PolicyControl | undefined;
  readonly metrics: PolicyServer["metrics"];
  /** What whoever leads does for the others. */
  lead(reigning: AbortSignal): Promise<void>;
  /** Lets the sidecars go to other replicas, over so long. */
  leave(overMs: number): Promise<void>;
}

export async function startDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { api, namespace, port, host, names, store, injection, identity, leading, log } = options;
  const gone = new AbortController();
  const authority = await policyAuthorityFromSecret(store, log);
  const knowledge = watchKnowledge({ api, injection, log }, gone.signal);
  const server = await servePolicy({
    ...{ port, snapshots: knowledge, log },
    certificate: policyCertificate(() => authority.current, names),
    reviewer: createReviewer(tokenReviews(api.authentication)),
  });
  log("info", "serving policy", { address: server.address, port: server.port });
  const status = keepStatus(
    { ...{ api, knowledge, identity, namespace, leading, log }, fleet: server.fleet },
    gone.signal,
  ).catch((error: Error) => log("error", "status is kept no more", { error: error.stack }));
  return {
    knowledge,
    authority: {
      get notReady() {
        return authority.notReady;
      },
      refresh: async () => {
        await authority.refresh();
        await server.lookAgain();
      },
    },
    boundaries: {
      get notReady() {
        return knowledge.boundariesNotReady;
      },
      refresh: async () => {},
    },
    network: {
      get notReady() {
        return knowledge.network()
          ? undefined
          : `the cluster's ranges and name server are not known yet: ${knowledge.notReady}`;
      },
      refresh: async () => {},
    },
    control: () =>
      authority.current && { host, port: SERVICE_PORT, ca: authority.current.certificate },
    metrics: server.metrics,
    lead: (reigning) => keepPolicyAuthority(store, authority, log, reigning),
    leave: async (overMs) => {
      await server.drain(overMs);
      gone.abort();
      await status;
    },
  };
}
