/** The test clusters from a shell. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { startApiServer } from "./api-server.ts";
import { buildMissing } from "./build.ts";
import { PROGRAMS, type Program } from "./components.ts";
import { sources } from "./environment.ts";

const USAGE = `usage: node e2e/cluster/main.ts COMMAND

  build [PROGRAM…]   builds from Go modules what is neither in KUBEBUILDER_ASSETS nor in the cache
  api-server         etcd and kube-apiserver on loopback, until interrupted
      --controllers  with kube-controller-manager

SALLYPORT_KUBERNETES=1.MINOR.PATCH builds and runs another version than the pinned one.
`;

type Options = { readonly controllers?: boolean };

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
    const held = setInterval(() => {}, 60_000);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    clearInterval(held);
    await server.stop();
  },
};

function say(line: string): void {
  console.error(line);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      controllers: { type: "boolean" },
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
