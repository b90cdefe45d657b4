import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startContainer } from "@sallyport/cli/lab/container";
import { createAuthority } from "@sallyport/controller/certificates";
import type { DecisionRecord } from "@sallyport/core/record";
import type { ProxyConfigInput } from "@sallyport/proxy/contract";
import type { Zone } from "../support/dns-server.ts";
import { DnsServerProcess } from "../support/dns-server-process.ts";
import { SidecarPod } from "../support/sidecar-pod.ts";
import { type Ended, finish, type Limits } from "./ended.ts";

/** Documentation addresses are special ranges, which no name alone leads to; these look public, inside the namespaces. */
const RESOLVER = "93.184.216.53";

type Rules = NonNullable<NonNullable<ProxyConfigInput["policy"]>["rules"]>;
type To = Rules[number]["spec"]["to"];

export interface BedOptions {
  /** By the names of the rules. */
  readonly rules: Readonly<Record<string, To>>;
  readonly zone: Zone;
  /** The world's, beside those of the zone. */
  readonly addresses?: readonly string[];
}

interface CleanUps {
  after(step: () => unknown): void;
}

export interface RunOptions extends Limits {
  readonly env?: Readonly<Record<string, string>>;
}

/** A pod with the real sidecar, in which real clients run; and a world, in which real servers do. */
export class Bed {
  readonly #pod: SidecarPod;
  readonly #dns: DnsServerProcess;
  /** For both sides' files; world-readable. */
  readonly folder: string;
  /** PEM files: whom the clients trust, and what the servers show below example.com and example.net. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;

  private constructor(pod: SidecarPod, dns: DnsServerProcess, folder: string) {
    this.#pod = pod;
    this.#dns = dns;
    this.folder = folder;
    this.authority = join(folder, "authority.pem");
    this.certificate = join(folder, "certificate.pem");
    this.key = join(folder, "key.pem");
  }

  static async open(t: CleanUps, { rules, zone, addresses = [] }: BedOptions): Promise<Bed> {
    const config: ProxyConfigInput = {
      policy: {
        mode: "enforce",
        pod: { namespace: "shop" },
        resolvers: [RESOLVER],
        rules: Object.entries(rules).map(([name, to]) => ({
          apiVersion: "sallyport.dev/v1alpha1",
          kind: "EgressRule",
          metadata: { name },
          spec: { to },
        })),
      },
    };
    const pod = await SidecarPod.open(t, { config });
    const named = Object.values(zone)
      .flat()
      .flatMap(({ A = [], AAAA = [] }) => [...A, ...AAAA]);
    for (const address of new Set([RESOLVER, ...named, ...addresses]))
      await pod.world.run("ip", "address", "add", address, "dev", "lo");
    const dns = await DnsServerProcess.start(pod.world, RESOLVER, zone);
    // What init does for the resolvers that it is told of.
    const udp = ["-p", "udp", "-d", RESOLVER, "--dport", "53"];
    await pod.pod.run("iptables", "-I", "OUTPUT", ...udp, "-j", "ACCEPT");

    const folder = mkdtempSync(join(tmpdir(), "sallyport-clients-"));
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    chmodSync(folder, 0o755);
    const bed = new Bed(pod, dns, folder);
    const authority = await createAuthority(Date.now());
    const shown = await authority.issue(["*.example.com", "*.example.net"], Date.now());
    writeFileSync(bed.authority, authority.certificate);
    writeFileSync(bed.certificate, shown.certificate);
    writeFileSync(bed.key, shown.key);
    return bed;
  }

  get pod() {
    return this.#pod.pod;
  }
  get world() {
    return this.#pod.world;
  }
  get records(): readonly DecisionRecord[] {
    return this.#pod.records;
  }

  /** Runs a client in the pod, as a container of it. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return finish(this.start(argv, options.env), options);
  }

  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const pod = { metadata: {}, spec: { containers: [] } };
    const variables = { HOME: this.folder, LC_ALL: "C.UTF-8", ...env };
    const container = {
      name: "app",
      image: "app",
      command: argv,
      env: Object.entries(variables).map(([name, value]) => ({ name, value })),
    };
    const host = {
      namespace: this.pod,
      images: {},
      resolvConf: `nameserver ${RESOLVER}\n`,
    };
    return startContainer(pod, container, host, ["pipe", "pipe", "pipe"]);
  }

  /** Resolves when somebody has asked for the addresses of this name. */
  async asked(name: string): Promise<void> {
    await this.#until(() => this.#dns.asked.some((question) => question.name === name), name);
  }

  /** The records of the connections by this name, once there are as many. */
  async recordsOf(name: string, count = 1): Promise<readonly DecisionRecord[]> {
    return this.recordsWhere((record) => record.name === name, count);
  }

  async recordsWhere(
    wanted: (record: DecisionRecord) => boolean,
    count = 1,
  ): Promise<readonly DecisionRecord[]> {
    await this.#until(() => this.records.filter(wanted).length >= count, `${count} such records`);
    return this.records.filter(wanted);
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 250; i++) {
      if (holds()) return;
      await sleep(20);
    }
    throw new Error(`waited for ${what}; the records: ${JSON.stringify(this.records)}`);
  }
}

/** `allowed.rule by shop/web, *.example.com:443, for www.example.com of sni`. */
export function verdictOf(record: DecisionRecord | undefined): string {
  if (!record) return "no record";
  const { reason, rule, matched, name, name_source } = record;
  return `${reason} by ${rule}, ${matched}, for ${name} of ${name_source}`;
}
