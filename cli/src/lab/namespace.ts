import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Network namespaces that cannot outlive the program that made them: each is held by a process that the kernel kills
 * when its parent dies (PR_SET_PDEATHSIG), has no name and no mount, and takes its links with it. Needs root,
 * util-linux and iproute2.
 */
export class NetworkNamespace {
  readonly #holder: ChildProcess;
  readonly #children = new Set<ChildProcess>();

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** With `lo` up and nothing else. */
  static async create(): Promise<NetworkNamespace> {
    const holder = spawn(
      "setpriv",
      ["--pdeathsig", "KILL", "unshare", "--net", "--", "sleep", "7200"],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const namespace = new NetworkNamespace(holder);
    await namespace.#entered();
    await namespace.run("ip", "link", "set", "lo", "up");
    return namespace;
  }

  /** The process whose `/proc/PID/ns/net` this is. */
  get pid(): number {
    if (this.#holder.pid === undefined) throw new Error("the namespace has no holder process");
    return this.#holder.pid;
  }

  /** `argv` as it runs inside the namespace, for whoever spawns it. */
  enter(...argv: readonly string[]): [string, ...string[]] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, "--", ...argv];
  }

  /** Runs a command to its end and gives its standard output; a failure carries its standard error. */
  run(...argv: readonly string[]): Promise<string> {
    const [command, ...args] = this.enter(...argv);
    return run(command, args);
  }

  /** A process inside the namespace; `close` kills it if it still runs, as does the end of this program. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [command, ...args] = this.enter("setpriv", "--pdeathsig", "KILL", ...argv);
    const child = spawn(command, args, options);
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** Ends every process inside, the children of children too; the links go with the last one. */
  async close(): Promise<void> {
    for (const pid of this.#members()) killIfAlive(pid);
    for (const child of [...this.#children, this.#holder])
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once("exit", resolve));
  }

  #members(): number[] {
    const linkOf = (pid: number) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`);
      } catch {
        return undefined; // it has ended
      }
    };
    const own = linkOf(this.pid);
    if (own === undefined || own === linkOf(process.pid)) return [];
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => linkOf(pid) === own);
  }

  async #entered(): Promise<void> {
    const own = readlinkSync("/proc/self/ns/net");
    for (let i = 0; i < 500; i++) {
      if (this.#holder.exitCode !== null) break;
      try {
        if (readlinkSync(`/proc/${this.pid}/ns/net`) !== own) return;
      } catch {
        // not started yet
      }
      await sleep(2);
    }
    throw new Error(
      "cannot make a network namespace: root and unshare(1) of util-linux are needed",
    );
  }
}

/** A process may end between being listed and being killed. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export interface LinkEnd {
  readonly namespace: NetworkNamespace;
  /** The name of the interface inside. */
  readonly name: string;
  /** With prefix lengths: `10.0.0.2/24`, `fd00::2/64`. */
  readonly addresses: readonly string[];
}

/**
 * A veth pair between two namespaces, both ends up, usable at once: no detection of duplicate addresses, and each end
 * knows the other's hardware address, for the first neighbour solicitation on a new link is lost as a rule, and the next
 * comes a second later (RFC 4861 §10, RETRANS_TIMER).
 */
export async function link(a: LinkEnd, b: LinkEnd): Promise<void> {
  await a.namespace.run(
    ...["ip", "link", "add", a.name, "type", "veth"],
    ...["peer", "name", b.name, "netns", String(b.namespace.pid)],
  );
  for (const end of [a, b]) {
    for (const address of end.addresses)
      await end.namespace.run(
        ...["ip", "address", "add", address, "dev", end.name],
        ...(address.includes(":") ? ["nodad"] : []),
      );
    await end.namespace.run("ip", "link", "set", end.name, "up");
  }
  await introduce(a, b);
  await introduce(b, a);
}

/** Tells one end where the addresses of the other are. */
async function introduce({ namespace, name }: LinkEnd, other: LinkEnd): Promise<void> {
  const [{ address: hardware }] = JSON.parse(
    await other.namespace.run("ip", "-json", "link", "show", "dev", other.name),
  );
  for (const address of other.addresses)
    await namespace.run(
      ...["ip", "neighbour", "replace", address.replace(/\/\d+$/, "")],
      ...["lladdr", hardware, "dev", name, "nud", "permanent"],
    );
}

/** Sends everything that is not on a link of the namespace to these gateways, one per family. */
export async function routeVia(namespace: NetworkNamespace, ...gateways: string[]): Promise<void> {
  for (const gateway of gateways)
    await namespace.run(
      ...["ip", gateway.includes(":") ? "-6" : "-4"],
      ...["route", "add", "default", "via", gateway],
    );
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: "utf8", maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${[command, ...args].join(" ")}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
