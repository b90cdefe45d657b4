import type { ProxyConfig } from "../contract.ts";
import type { Log } from "../log.ts";
import type { Given, PolicyHolder } from "../policy-holder.ts";
import type { Answer } from "../resolve/answer.ts";
import { addressesBy } from "./addresses.ts";
import { Delivery } from "./delivery.ts";
import { type KeptSnapshot, readKept, SnapshotKeeper } from "./kept-snapshot.ts";
import type { StreamLimits } from "./limits.ts";
import { Reports } from "./reports.ts";
import { type Have, type Offered, takeSnapshot } from "./take-snapshot.ts";

export interface DeliveredPolicyOptions {
  readonly config: ProxyConfig & { readonly control: NonNullable<ProxyConfig["control"]> };
  readonly policy: PolicyHolder;
  /** By the resolvers of the policy in force. */
  lookup(name: string): Promise<Answer>;
  /** Another policy is in force: what depends on it is to follow. */
  inForce(): void;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly limits?: Partial<StreamLimits> | undefined;
}

/** The policy as the controllers give it: from the stream into force, and onto the disk for the next start. */
export class DeliveredPolicy {
  readonly reports = new Reports();
  readonly #options: DeliveredPolicyOptions;
  readonly #keeper: SnapshotKeeper | undefined;
  readonly #delivery: Delivery;

  constructor(options: DeliveredPolicyOptions) {
    const { config, lookup, log, now } = options;
    const { control } = config;
    this.#options = options;
    if (control.stateDir !== undefined)
      this.#keeper = new SnapshotKeeper(control.stateDir, (problem) => log("error", problem));
    this.#delivery = new Delivery({
      ...{ control, log, now, reports: this.reports },
      addresses: addressesBy(config.policy.resolvers, lookup),
      have: () => this.#have(),
      user: {
        offered: (snapshot) => this.#offered(snapshot),
        confirmed: (revision, basis) => this.#confirmed({ revision, basis }),
      },
      ...(options.limits && { limits: options.limits }),
    });
  }

  get state() {
    return this.#delivery.state;
  }
  get figures() {
    return this.#delivery.figures;
  }

  /** What was kept is in force at once; then the controllers are asked, for ever. */
  start(): void {
    const { config, log } = this.#options;
    const kept =
      config.control.stateDir === undefined ? undefined : readKept(config.control.stateDir);
    const problem = typeof kept === "string" ? kept : kept && this.#useKept(kept);
    if (problem !== undefined) log("error", `the snapshot kept before is not used: ${problem}`);
    this.#delivery.start();
  }

  async close(): Promise<void> {
    await Promise.all([this.#delivery.close(), this.#keeper?.settled()]);
  }

  #have(): Have | undefined {
    const { revision, basis } = this.#options.policy.given ?? {};
    return revision === undefined || basis === undefined ? undefined : { revision, basis };
  }

  /** Undefined where it is in force now; otherwise why not. */
  #offered(offered: Offered): string | undefined {
    const { policy, log, now } = this.#options;
    const { revision, basis } = offered;
    const taken = takeSnapshot(offered, this.#have());
    if ("older" in taken) {
      log("warn", `snapshot ${revision} is not used: ${taken.older}`);
      return taken.older;
    }
    if ("problem" in taken) {
      policy.reject(`snapshot ${revision}:\n${taken.problem}`);
      const stays = policy.given ? "the policy in force stays" : "there is still no policy";
      log("error", `${stays}: snapshot ${revision}:\n${taken.problem}`);
      return taken.problem;
    }
    const { snapshot } = taken;
    const mistake = this.#apply({ snapshot, from: "controllers", revision, basis }, now());
    if (mistake === undefined) this.#keep();
    else {
      policy.reject(mistake);
      log("error", `snapshot ${revision}: ${mistake}`);
    }
    return mistake;
  }

  #useKept({ snapshot, revision, basis, appliedMs }: KeptSnapshot): string | undefined {
    return this.#apply({ snapshot, from: "kept", revision, basis }, appliedMs);
  }

  /** What is thrown here costs one snapshot: it would come again, and end every sidecar that it is for at each start. */
  #apply(given: Given, sinceMs: number): string | undefined {
    try {
      if (this.#options.policy.apply(given, sinceMs)) this.#options.inForce();
      return undefined;
    } catch (error) {
      return `a mistake of the sidecar's own: ${(error as Error).stack}`;
    }
  }

  #confirmed({ revision, basis }: Have): void {
    const { policy, now } = this.#options;
    const { given } = policy;
    if (given?.revision !== revision) return;
    policy.apply({ ...given, from: "controllers", basis }, now());
    this.#keep();
  }

  #keep(): void {
    const { given, appliedMs } = this.#options.policy;
    const { snapshot, revision, basis } = given ?? {};
    if (snapshot && revision !== undefined && basis)
      this.#keeper?.keep({ revision, basis, appliedMs, snapshot });
  }
}
