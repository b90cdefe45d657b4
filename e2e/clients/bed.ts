import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startContainer } from "@sallyport/cli/lab/container";
import type { Zone } from "@sallyport/cli/lab/dns-server";
import { createAuthority } from "@sallyport/controller/certificates";
import type { DecisionRecord } from "@sallyport/core/record";
import { EgressPod, type Policy, RESOLVER, type Settings, type To } from "../support/egress-pod.ts";
import { type Ended, finish, type Limits } from "./ended.ts";

export interface BedOptions {
  /** By the names of the rules. */
  readonly rules: Readonly<Record<string, To>>;
  readonly zone: Zone;
  /** Of the policy, beside its rules. */
  readonly policy?: Omit<Policy, "rules">;
  /** The world's, beside those of the zone. */
  readonly addresses?: readonly string[];
  readonly settings?: Settings;
}

interface CleanUps {
  after(step: () => unknown): void;
}

export interface RunOptions extends Limits {
  readonly env?: Readonly<Record<string, string>>;
}

/** A pod with the real sidecar, in which real clients run; and a world, in which real servers do. */
export class Bed {
  readonly egress: EgressPod;
  /** For both sides' files; world-readable. */
  readonly folder: string;
  /** PEM files: whom the clients trust, and what the servers show below example.com and example.net. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;

  private constructor(egress: EgressPod, folder: string) {
    this.egress = egress;
    this.folder = folder;
    this.authority = join(folder, "authority.pem");
    this.certificate = join(folder, "certificate.pem");
    this.key = join(folder, "key.pem");
  }

  static async open(t: CleanUps, { rules, zone, ...options }: BedOptions): Promise<Bed> {
    const named = Object.values(zone)
      .flat()
      .flatMap(({ A = [], AAAA = [] }) => [...A, ...AAAA]);
    const egress = await EgressPod.open(t, {
      ...options.settings,
      policy: { rules, ...options.policy },
      zone,
      addresses: [...named, ...(options.addresses ?? [])],
      listening: { tls: [], http: [], plain: [] },
    });
    const folder = mkdtempSync(join(tmpdir(), "sallyport-clients-"));
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    chmodSync(folder, 0o755);
    const bed = new Bed(egress, folder);
    const authority = await createAuthority(Date.now());
    const shown = await authority.issue(["*.example.com", "*.example.net"], Date.now());
    writeFileSync(bed.authority, authority.certificate);
    writeFileSync(bed.certificate, shown.certificate);
    writeFileSync(bed.key, shown.key);
    return bed;
  }

  get pod() {
    return this.egress.sidecar.pod;
  }
  get world() {
    return this.egress.sidecar.world;
  }
  get records(): readonly DecisionRecord[] {
    return this.egress.records;
  }

  /** Runs a client in the pod, as a container of it, to its end. */
  run(argv: readonly string[], { env = {}, ...limits }: RunOptions = {}): Promise<Ended> {
    return finish(this.start(argv, env), limits);
  }

  /** Starts a client in the pod, as a container of it. */
  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const variables = { HOME: this.folder, LC_ALL: "C.UTF-8", ...env };
    const app = {
      name: "app",
      image: "app",
      command: argv,
      env: Object.entries(variables).map(([name, value]) => ({ name, value })),
    };
    const pod = { metadata: {}, spec: { containers: [app] } };
    const host = { namespace: this.pod, images: {}, resolvConf: `nameserver ${RESOLVER}\n` };
    return startContainer(pod, app, host, ["pipe", "pipe", "pipe"]);
  }

  /** Resolves when somebody has asked for the addresses of this name. */
  async asked(name: string): Promise<void> {
    const { dns } = this.egress;
    const isAsked = () => dns.asked.some((question) => question.name === name);
    await this.egress.until(isAsked, `a question for ${name}`);
  }

  /** The records of the connections by this name, once there are as many. */
  recordsOf(name: string, count = 1): Promise<readonly DecisionRecord[]> {
    return this.recordsWhere((record) => record.name === name, count);
  }

  recordsWhere(
    wanted: (record: DecisionRecord) => boolean,
    count = 1,
  ): Promise<readonly DecisionRecord[]> {
    return this.egress.recordsWhere(wanted, count);
  }
}

/** `allowed.rule by shop/web, *.example.com:443, for www.example.com of sni`. */
export function verdictOf(record: DecisionRecord | undefined): string {
  if (!record) return "no record";
  const { reason, rule, matched, name, name_source } = record;
  return `${reason} by ${rule}, ${matched}, for ${name} of ${name_source}`;
}
