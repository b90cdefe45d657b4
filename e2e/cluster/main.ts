/** The test clusters, from a shell. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startApiServer } from "./api-server.ts";
import { buildMissing } from "./build.ts";
import { PROGRAMS, type Program } from "./components.ts";
import { sources } from "./environment.ts";
import { Box } from "./whole/box.ts";
import { FILES } from "./whole/configs.ts";
import { loadImages } from "./whole/load-images.ts";
import { BUILT, lackingWholeCluster } from "./whole/needs.ts";
import { OUTSIDE, openOutside } from "./whole/outside.ts";
import { status } from "./whole/status.ts";
import { up } from "./whole/up.ts";

const USAGE = `usage: node e2e/cluster/main.ts COMMAND

  build [PROGRAM…]   builds from Go modules what is neither in KUBEBUILDER_ASSETS nor in the cache
  api-server         etcd and kube-apiserver on loopback, until interrupted
      --controllers  with kube-controller-manager
  up                 a whole cluster of one node, in namespaces of its own; as root
      --ipv4         without IPv6
      --hold         until interrupted; whatever ends this command ends the cluster
  status             what of it runs; exit status 1 unless all does
  load FILE…         brings archives of images into it
  enter -- COMMAND…  runs a command in its node
  world FILE         plays the world beyond it, a few web servers, until interrupted; FILE gets who certifies them
  down               ends it and removes everything that it made

SALLYPORT_KUBERNETES=1.MINOR.PATCH builds and runs another version than the pinned one.
`;

type Options = { readonly controllers?: boolean; readonly ipv4?: boolean; readonly hold?: boolean };

const COMMANDS: Readonly<
  Record<string, (names: readonly string[], options: Options) => Promise<void>>
> = {
  build: async (names) => {
    const unknown = names.filter((name) => !(PROGRAMS as readonly string[]).includes(name));
    if (unknown.length > 0)
      throw new Error(`no program ${unknown.join(", ")}: there are ${PROGRAMS.join(", ")}`);
    await buildMissing(names.length > 0 ? (names as Program[]) : PROGRAMS, sources(), say);
  },
  "api-server": async (_, { controllers = false }) => {
    const server = await startApiServer({ controllers });
    console.log(`export KUBECONFIG=${server.kubeconfig}`);
    await interrupted();
    await server.stop();
  },
  up: async (_, { ipv4 = false, hold = false }) => {
    if (Box.find()?.complete) {
      if (hold) throw new Error("the cluster is up already: npm run cluster:down");
      say("the cluster is up already");
    } else {
      if (process.getuid?.() === 0) await buildMissing(BUILT, sources(), say);
      const lacking = lackingWholeCluster();
      if (lacking) throw new Error(lacking.replace("NOT TESTED HERE", "cannot raise the cluster"));
      const removed = () => Box.remove().then(() => process.exit(1));
      for (const signal of SIGNALS) process.once(signal, removed);
      await up({ families: ipv4 ? "ipv4" : "dual", tied: hold, say });
      for (const signal of SIGNALS) process.off(signal, removed);
    }
    console.log(`export KUBECONFIG=${FILES.kubeconfig}`);
    if (hold) {
      await interrupted();
      await Box.remove();
    }
  },
  status: async () => {
    const { well, lines } = await status();
    console.log(lines.join("\n"));
    if (!well) process.exitCode = 1;
  },
  load: async (files) => loadImages(standing(), files),
  enter: async (argv) => {
    const [program, ...args] = standing().enter(...(argv.length > 0 ? argv : ["sh"]));
    process.exitCode = spawnSync(program, args, { stdio: "inherit" }).status ?? 1;
  },
  world: async ([file]) => {
    if (file === undefined)
      throw new Error("world FILE: where to write the authority's certificate");
    await using outside = await openOutside(standing());
    writeFileSync(file, outside.authority);
    console.log(`${Object.keys(OUTSIDE).join(", ")}; certified by ${file}`);
    await Promise.race([interrupted(), outside.ended]);
  },
  down: () => Box.remove(),
};

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function interrupted(): Promise<void> {
  const held = setInterval(() => {}, 60_000); // a wait for a signal keeps no process
  await Promise.race(SIGNALS.map((signal) => once(process, signal)));
  clearInterval(held);
}

function standing(): Box {
  const box = Box.find();
  if (!box) throw new Error("no cluster is up: npm run cluster:up");
  return box;
}

function say(line: string): void {
  console.error(line);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      controllers: { type: "boolean" },
      ipv4: { type: "boolean" },
      hold: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [name = "", ...names] = positionals;
  const command = COMMANDS[name];
  if (values.help) process.stdout.write(USAGE);
  else if (command) await command(names, values);
  else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
