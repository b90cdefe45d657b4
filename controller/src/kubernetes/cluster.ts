import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { VERSION } from "@sallyport/core/version";
import { demandsOf } from "../admission/demands.ts";
import type { DrawIdentity } from "../admission/identity.ts";
import { randomIdentity } from "../admission/identity-random.ts";
import type { InjectionOptions } from "../admission/options.ts";
import type { CertificateSource, Prerequisite } from "../certificate-source.ts";
import type { Log } from "../log.ts";
import { keepCertificate } from "./certificate-keeper.ts";
import type { RotationTimes } from "./certificate-rotation.ts";
import { certificateFromSecret } from "./certificate-secret.ts";
import { connect } from "./client.ts";
import { type Delivery, startDelivery } from "./delivery.ts";
import { keepServing } from "./duties.ts";
import { watchFinalGuard } from "./final-guard.ts";
import { lead } from "./lease.ts";
import { podSecurityLevel, watchNamespaces } from "./namespaces.ts";
import { keepSealKey, sealKeyFromSecret } from "./seal-key.ts";
import { secretStore } from "./secret-store.ts";
import { sweep } from "./sweep.ts";
import { webhookConfigurations } from "./webhook-configurations.ts";

/** What a controller on a cluster is told: names of objects there, each absent where it has nothing to do with such. */
export interface ClusterOptions {
  /** Absent: in a pod of that cluster. */
  readonly kubeConfigFile?: string | undefined;
  /** Of the Secret and the Lease. */
  readonly namespace: string;
  readonly certificateSecret?: string | undefined;
  /** Where the certificate is somebody else's: of the Secret whose key alone is shared. */
  readonly sealSecret?: string | undefined;
  readonly webhooks?: string | undefined;
  readonly lease?: string | undefined;
  /** Absent: sidecars are given no policy by this controller. */
  readonly policyPort?: number | undefined;
  /** What sidecars call the controllers by. */
  readonly host: string;
  /** What clients call the controller by. */
  readonly names: readonly string[];
  readonly certificateLifeMs: number;
  readonly rotation: RotationTimes;
  readonly injection: InjectionOptions;
  readonly log: Log;
}

/** A controller's place on a cluster: what it is given by the API server, and what it does there while it leads. */
export interface Cluster {
  /** From the Secret; absent where none is named. */
  readonly certificate?: CertificateSource;
  /** What has to be there besides a certificate: of what replicas share. */
  readonly prerequisites: readonly Prerequisite[];
  readonly draw: DrawIdentity;
  readonly podSecurityEnforced: (namespace: string) => string | undefined;
  readonly leading: () => boolean;
  /** Absent: whoever looks at final pods guards always. */
  readonly finalPodsGuarded: (() => boolean) | undefined;
  readonly delivery: Delivery | undefined;
  /** Takes its turn at leading, now that it serves. */
  serve(lookAgain: () => Promise<void>): void;
  /** Another may lead at once; sidecars go to other replicas over so long. */
  leave(overMs: number): Promise<void>;
}

export async function joinCluster(options: ClusterOptions): Promise<Cluster> {
  const { namespace, names, log } = options;
  const api = connect(options.kubeConfigFile);
  const left = new AbortController();
  const { signal } = left;

  const store = options.certificateSecret
    ? secretStore(api, namespace, options.certificateSecret)
    : undefined;
  const source = store && (await certificateFromSecret(store, names, log));
  const sealStore = options.sealSecret
    ? secretStore(api, namespace, options.sealSecret)
    : undefined;
  const sealKey = sealStore && (await sealKeyFromSecret(sealStore, log));

  const installation = {
    ...{ version: VERSION, options: options.injection },
    get control() {
      return delivery?.control();
    },
  };
  const identity = `${hostname()}_${randomUUID()}`;
  let leading = false;
  const shared = store ?? sealStore;
  const delivery =
    options.policyPort === undefined || !shared
      ? undefined
      : await startDelivery({
          ...{ api, namespace, names, identity, log },
          ...{ port: options.policyPort, host: options.host, store: shared },
          injection: options.injection,
          leading: () => leading,
        });
  // Who knows the rules knows the namespaces.
  const podSecurityOf = delivery
    ? (name: string) => podSecurityLevel(delivery.knowledge.namespaceLabels(name))
    : watchNamespaces(api, log, signal).podSecurityOf;
  const demandsOver =
    delivery && ((name: string) => demandsOf(delivery.knowledge.boundariesOver(name)));
  let turns: Promise<void> | undefined;
  const task = async (lookAgain: () => Promise<void>, reigning: AbortSignal) => {
    leading = true;
    try {
      await Promise.all([
        keepServing(keeper(lookAgain), webhooks, reigning),
        sealStore && keepSealKey(sealStore, log, reigning),
        delivery?.lead(reigning),
        sweep({ api, installation, demandsOver, excluded: [namespace], log }, reigning),
      ]);
    } finally {
      leading = false;
    }
  };
  const webhooks = options.webhooks ? webhookConfigurations(api, options.webhooks, log) : undefined;
  const finalPodsGuarded = options.webhooks
    ? await watchFinalGuard(api, options.webhooks, log, signal)
    : undefined;
  const keeper = (onWritten: () => Promise<void>) =>
    store && source && keepCertificate({ ...keptBy(options), store, source, onWritten });

  return {
    ...(source && { certificate: source }),
    prerequisites: [sealKey, delivery?.authority, delivery?.boundaries, delivery?.network].flatMap(
      (each) => each ?? [],
    ),
    ...{ delivery, finalPodsGuarded },
    draw: drawnBy(source ? () => source.sealKey : sealKey && (() => sealKey.current)),
    podSecurityEnforced: podSecurityOf,
    leading: () => leading,
    serve: (lookAgain) => {
      if (options.lease === undefined) return;
      turns = lead(
        {
          ...{ api, namespace, name: options.lease, identity, log },
          task: (reigning) => task(lookAgain, reigning),
        },
        signal,
      );
    },
    leave: async (overMs) => {
      left.abort();
      await Promise.all([turns, delivery?.leave(overMs)]);
    },
  };
}

function keptBy({ names, certificateLifeMs, rotation, log }: ClusterOptions) {
  return { names, lifeMs: certificateLifeMs, times: rotation, log };
}

/** By the key that the replicas share, which may become another; absent: by one of this process. */
function drawnBy(sharedKey: (() => Uint8Array) | undefined): DrawIdentity {
  const own = randomIdentity();
  if (!sharedKey) return own;
  return {
    random: own.random,
    get sealKey() {
      return sharedKey();
    },
  };
}
