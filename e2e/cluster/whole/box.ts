import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ENVIRONMENT } from "../environment.ts";
import { cgroupFolders, cgroupVersion, makeCgroups, removeCgroups } from "./cgroups.ts";
import { command } from "./command.ts";
import { type Families, PLAN } from "./plan.ts";
import { lives, processOf, readState, type State, writeState } from "./state.ts";

/** Everything that a process inside shares with the others of the box, and with nothing outside. */
const NAMESPACES = ["mount", "net", "uts", "ipc", "cgroup"] as const;
const FILES: Readonly<Record<(typeof NAMESPACES)[number], string>> = {
  mount: "mnt",
  net: "net",
  uts: "uts",
  ipc: "ipc",
  cgroup: "cgroup",
};

const joinCgroups = `while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"`;

const inCgroups = (folders: readonly string[], argv: readonly string[]): [string, ...string[]] => [
  ...(["sh", "-euc", joinCgroups, "sh"] as const),
  ...folders,
  "--",
  ...argv,
];

/**
 * The node: what a machine would be to a kubelet, in namespaces and cgroups of its own. One process holds it; when that is
 * killed, the kernel ends every process inside, the pods' too, and with them go their mounts and links.
 */
export class Box {
  readonly #state: State;

  private constructor(state: State) {
    this.#state = state;
  }

  /** The box that stands. */
  static find(): Box | undefined {
    const state = readState();
    return state && lives(state.holder) ? new Box(state) : undefined;
  }

  /** With no links yet. `tied`: it ends when this process does. */
  static async make(families: Families, tied: boolean): Promise<Box> {
    const other = Box.find()?.maker;
    if (other)
      throw new Error(
        `process ${other} is raising the cluster ${PLAN.name}: wait for it, or name another in ${ENVIRONMENT.cluster}`,
      );
    await Box.remove();
    await mkdir(PLAN.state, { recursive: true, mode: 0o700 });
    const cgroups = cgroupFolders(PLAN.cgroup);
    await makeCgroups(cgroups);
    const [program, ...args] = inCgroups(cgroups, [
      ...(tied ? ["setpriv", "--pdeathsig", "KILL", "--"] : []),
      ...["unshare", "--pid", "--fork", "--kill-child", "--propagation", "private"],
      ...NAMESPACES.map((name) => `--${name}`),
      ...["--", "sh", join(import.meta.dirname, "box.sh"), PLAN.state, PLAN.node, cgroupVersion()],
    ]);
    const holder = spawn(program, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const said: Buffer[] = [];
    holder.stderr.on("data", (chunk) => said.push(chunk));
    await new Promise((resolve, reject) => {
      holder.once("spawn", resolve).once("error", reject);
    });
    const state = {
      holder: processOf(holder.pid as number),
      maker: processOf(process.pid),
      ...{ families, cgroups, complete: false },
    };
    writeState(state);
    while (!existsSync(join(PLAN.state, "box-is-made"))) {
      if (holder.exitCode !== null || holder.signalCode !== null)
        throw new Error(
          `cannot make the node's namespaces: ${Buffer.concat(said).toString().trim()}`,
        );
      if (cgroupVersion() === "v2") await moveToFirst(cgroups, state.holder.pid);
      await sleep(10);
    }
    holder.stderr.destroy();
    holder.unref();
    return new Box(state);
  }

  /** Ends whatever an earlier run left, and everything that this one made. */
  static async remove(): Promise<void> {
    const state = readState();
    if (state) {
      if (lives(state.holder)) process.kill(state.holder.pid, "SIGKILL");
      await removeCgroups(state.cgroups, 30);
    }
    await rm(PLAN.state, { recursive: true, force: true });
  }

  get families(): Families {
    return this.#state.families;
  }

  /** The process whose namespaces these are. */
  get pid(): number {
    return this.#state.holder.pid;
  }

  /** Another process that is at it just now. */
  get maker(): number | undefined {
    const { complete, maker } = this.#state;
    return !complete && maker.pid !== process.pid && lives(maker) ? maker.pid : undefined;
  }

  get complete(): boolean {
    return this.#state.complete;
  }

  markComplete(): void {
    this.#state.complete = true;
    writeState(this.#state);
  }

  /** `argv` as it runs inside, for whoever spawns it. */
  enter(...argv: readonly string[]): [string, ...string[]] {
    const folder = `/proc/${this.pid}/ns`;
    return inCgroups(this.#entered(), [
      "nsenter",
      ...NAMESPACES.map((name) => `--${name}=${folder}/${FILES[name]}`),
      // The holder itself is outside: the namespace is its children's.
      ...[`--pid=${folder}/pid_for_children`, "--", ...argv],
    ]);
  }

  /** In the world beyond the node (PLAN.world). */
  enterWorld(...argv: readonly string[]): [string, ...string[]] {
    return this.enter("ip", "netns", "exec", PLAN.world.name, ...argv);
  }

  run(...argv: readonly string[]): Promise<string> {
    return command(...this.enter(...argv));
  }

  /** On v2 a group with children takes no processes: the first process made one for them. */
  #entered(): string[] {
    const { cgroups } = this.#state;
    return cgroupVersion() === "v2" ? cgroups.map(firstOf) : cgroups;
  }
}

const firstOf = (folder: string) => join(folder, "init");

/** Once box.sh has made that group: only a namespace's maker is left then in the box's own, where it may not stay. */
async function moveToFirst(folders: readonly string[], pid: number): Promise<void> {
  for (const folder of folders.map(firstOf).filter((each) => existsSync(each)))
    await writeFile(join(folder, "cgroup.procs"), String(pid));
}
