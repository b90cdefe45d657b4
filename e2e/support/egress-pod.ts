import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Zone } from "@sallyport/cli/lab/dns-server";
import { DnsServerProcess } from "@sallyport/cli/lab/dns-server-process";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import type { PolicySourceInput } from "@sallyport/core/policy-source";
import type { DecisionRecord } from "@sallyport/core/record";
import type { InitConfigInput } from "@sallyport/init/contract";
import type { ProxyConfigInput } from "@sallyport/proxy/contract";
import { type Call, Caller, type Heard } from "./caller.ts";
import { SidecarPod } from "./sidecar-pod.ts";
import { type Listening, Witness } from "./witness.ts";

/** The cluster's resolver. */
export const RESOLVER = "10.96.0.10";

/**
 * Addresses of the world that look public, inside the namespaces: those for documentation are special ranges, where no
 * name alone leads.
 */
export const REAL = "93.184.216.34";
export const REAL6 = "2606:2800:220:1::34";
export const OTHER = "93.184.216.35";
export const HOSTILE = "45.83.64.66";
export const HOSTILE6 = "2a06:98c0::66";

type Rule = NonNullable<PolicySourceInput["rules"]>[number];
type Boundary = NonNullable<PolicySourceInput["boundaries"]>[number];
export type To = Rule["spec"]["to"];

export interface Policy extends Omit<PolicySourceInput, "rules" | "boundaries"> {
  /** By their names; of the pod's namespace. */
  readonly rules?: Readonly<Record<string, To>>;
  readonly boundaries?: Readonly<Record<string, Boundary["spec"]>>;
  /** Of any namespace, whole. */
  readonly more?: readonly Rule[];
}

/** What the sidecar is told beside the policy: limits, waits and the like. */
export type Settings = Omit<ProxyConfigInput, "policy">;

export interface EgressOptions extends Settings {
  readonly policy: Policy;
  readonly zone?: Zone;
  /** The world's, beside those above. */
  readonly addresses?: readonly string[];
  readonly listening?: Listening;
  readonly init?: Partial<InitConfigInput>;
  /** The pod's own, which its author writes. */
  readonly resolvConf?: string;
  readonly hosts?: string;
  /** Run in the world, with its addresses, before the pod starts. */
  readonly furnish?: (world: NetworkNamespace) => Promise<void>;
}

interface CleanUps {
  after(step: () => unknown): void;
}

const API_VERSION = "sallyport.dev/v1alpha1";
const LISTENING: Listening = { tls: [443], http: [80], plain: [5432] };

/** One connection: what became of it for the app, and the sidecar's record of it. */
export interface Outcome {
  readonly heard: Heard;
  readonly record: DecisionRecord;
}

/** A pod with the real init rules and the real sidecar under a policy of names, and a world that says where one arrived. */
export class EgressPod {
  readonly sidecar: SidecarPod;
  readonly app: Caller;
  readonly dns: DnsServerProcess;
  readonly witness: Witness;
  readonly #file: string;
  readonly #settings: Settings;
  #generation = 0;

  private constructor(
    sidecar: SidecarPod,
    dns: DnsServerProcess,
    witness: Witness,
    file: string,
    settings: Settings,
  ) {
    this.sidecar = sidecar;
    this.app = new Caller(sidecar.pod);
    this.dns = dns;
    this.witness = witness;
    this.#file = file;
    this.#settings = settings;
  }

  static async open(t: CleanUps, options: EgressOptions): Promise<EgressPod> {
    const { policy, zone = {}, addresses = [], listening = {}, init, furnish, ...others } = options;
    const { resolvConf = `nameserver ${RESOLVER}\n`, hosts, ...settings } = others;
    const folder = mkdtempSync(join(tmpdir(), "sallyport-egress-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const file = join(folder, "sidecar.json");
    write(file, JSON.stringify({ ...settings, policy: sourceOf(policy) }));
    let served: [DnsServerProcess, Witness] | undefined;
    const sidecar = await SidecarPod.open(t, {
      args: ["--config", file],
      init: { resolvers: [RESOLVER], ...init },
      resolvConf,
      ...(hosts !== undefined && { hosts }),
      furnish: async (world) => {
        const all = [RESOLVER, REAL, REAL6, OTHER, HOSTILE, HOSTILE6, ...addresses];
        for (const address of new Set(all))
          await world.run("ip", "address", "add", address, "dev", "lo");
        served = await Promise.all([
          DnsServerProcess.start(world, RESOLVER, zone),
          Witness.start(world, { ...LISTENING, ...listening }),
        ]);
        await furnish?.(world);
      },
    });
    if (!served) throw new Error("the world has not been furnished");
    return new EgressPod(sidecar, ...served, file, settings);
  }

  get records(): readonly DecisionRecord[] {
    return this.sidecar.records;
  }

  /** One connection from beginning to end; no other to the same address and port may be under way. */
  async attempt(call: Call): Promise<Outcome> {
    const isThis = ({ original_address, original_port }: DecisionRecord) =>
      original_address === call.address && original_port === call.port;
    const before = this.records.filter(isThis).length;
    const heard = await this.app.call(call);
    const [record] = (await this.recordsWhere(isThis, before + 1)).slice(-1);
    if (!record) throw new Error("no record");
    return { heard, record };
  }

  /** Such records, once there are as many. */
  async recordsWhere(
    wanted: (record: DecisionRecord) => boolean,
    count = 1,
  ): Promise<readonly DecisionRecord[]> {
    for (let i = 0; i < 2_000; i++) {
      const found = this.records.filter(wanted);
      if (found.length >= count) return found;
      await sleep(10);
    }
    throw new Error(`${count} such records wanted: ${JSON.stringify(this.records.slice(-5))}`);
  }

  /** Resolves when the policy is in force, be it the one that was or another: a label of the pod's tells them apart. */
  async apply(policy: Policy): Promise<void> {
    this.#generation += 1;
    const label = { generation: String(this.#generation) };
    const source = sourceOf(policy);
    const pod = { ...source.pod, labels: { ...source.pod?.labels, ...label } };
    this.write(JSON.stringify({ ...this.#settings, policy: { ...source, pod } }));
    await this.until(async () => {
      const { policy: inForce } = JSON.parse(await this.sidecar.admin("/config_dump"));
      return inForce.pod.labels.generation === label.generation;
    }, "a new policy");
  }

  /** The text of the sidecar's file, as it is. */
  write(text: string): void {
    write(this.#file, text);
  }

  async stat(name: string): Promise<number> {
    const stats = JSON.parse(await this.sidecar.admin("/stats?format=json"));
    const found = stats.stats.find((each: { name: string }) => each.name === name);
    return found?.value;
  }

  async until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if (await holds()) return;
      await sleep(20);
    }
    throw new Error(`waited for ${what}; the sidecar's log:\n${this.sidecar.log}`);
  }
}

function sourceOf({ rules = {}, boundaries = {}, more = [], ...rest }: Policy): PolicySourceInput {
  return {
    mode: "enforce",
    pod: { namespace: "shop" },
    resolvers: [RESOLVER],
    ...rest,
    rules: [...Object.entries(rules).map(([name, to]) => ruleOf(name, to)), ...more],
    boundaries: Object.entries(boundaries).map(([name, spec]) => ({
      apiVersion: API_VERSION,
      kind: "EgressBoundary",
      metadata: { name },
      spec,
    })),
  };
}

export function ruleOf(name: string, to: To, namespace?: string): Rule {
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: { to },
  };
}

/** Whole or not at all, as a ConfigMap volume changes. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.next`, text, { mode: 0o644 });
  renameSync(`${file}.next`, file);
}
