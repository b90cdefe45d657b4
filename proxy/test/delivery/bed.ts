import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ProxyConfig, type ProxyConfigInput } from "../../src/contract.ts";
import { DeliveredPolicy } from "../../src/delivery/delivered-policy.ts";
import type { StreamLimits } from "../../src/delivery/limits.ts";
import type { Level } from "../../src/log.ts";
import { PolicyHolder } from "../../src/policy-holder.ts";
import { ControlServer } from "../support/control-server.ts";

export interface Logged {
  readonly level: Level;
  readonly message: string;
}

/** What a sidecar has of the stream, wired as there, with the real policy holder, files and TLS. */
export class DeliveryBed {
  readonly server: ControlServer;
  readonly folder: string;
  readonly logged: Logged[] = [];
  readonly tokenFile: string;
  /** How often another policy came into force. */
  applied = 0;
  readonly policy: PolicyHolder;
  readonly delivered: DeliveredPolicy;

  private constructor(server: ControlServer, folder: string, options: BedOptions) {
    this.server = server;
    this.folder = folder;
    this.tokenFile = join(folder, "token");
    if (options.token !== null) this.giveToken(options.token ?? "a.first.token");
    const { control, policy, limits } = options;
    const config = ProxyConfig.parse({
      policy,
      control: {
        ...{ host: "localhost", port: server.port, ca: server.ca },
        ...{ tokenFile: this.tokenFile, stateDir: folder, ...control },
      },
    });
    if (!config.control) throw new Error("no control");
    this.policy = new PolicyHolder(undefined, Date.now());
    this.delivered = new DeliveredPolicy({
      config: { ...config, control: config.control },
      policy: this.policy,
      lookup: async () => ({ addresses: [], error: "not_found" }),
      inForce: () => {
        this.applied += 1;
        options.inForce?.(this);
      },
      log: (level, message) => this.logged.push({ level, message }),
      now: Date.now,
      limits: { tickMs: 50, ...limits },
    });
  }

  static async open(t: TestContext, options: BedOptions = {}): Promise<DeliveryBed> {
    const server = options.server ?? (await ControlServer.start());
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "sallyport-delivery-"));
    const bed = new DeliveryBed(server, folder, options);
    t.after(async () => {
      await bed.delivered.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    options.before?.(bed);
    bed.delivered.start();
    return bed;
  }

  giveToken(token: string): void {
    writeFileSync(this.tokenFile, `${token}\n`);
  }

  told(pattern: RegExp): number {
    return this.logged.filter(({ message }) => pattern.test(message)).length;
  }
}

export interface BedOptions {
  readonly server?: ControlServer;
  readonly folder?: string;
  /** null: none is there. */
  readonly token?: string | null;
  readonly control?: Partial<NonNullable<ProxyConfigInput["control"]>>;
  readonly policy?: ProxyConfigInput["policy"];
  readonly limits?: Partial<StreamLimits>;
  /** What follows another policy. */
  readonly inForce?: (bed: DeliveryBed) => void;
  /** Done before the stream is asked for. */
  readonly before?: (bed: DeliveryBed) => void;
}
