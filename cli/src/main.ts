import type { Io } from "./policy/io.ts";

const HELP = `sallyport: the guarded gate by which connections leave a pod

  sallyport demo [-- CMD…]                 a sidecar at work in a minute, without a cluster
  sallyport inject -f FILE|-               put the sidecar into manifests, offline
  sallyport explain POD URL                would it pass, by which rule, and what would permit it; or -f FILE URL
  sallyport test FILE                      cases that rules must hold, for CI
  sallyport simulate --proposed FILE       what proposed rules would change, by what sidecars have recorded; or -f FILE
  sallyport check                          is the installation healthy, and what has no sidecar and why
  sallyport stats POD                      what a pod's sidecar counts, without a port-forward
  sallyport get POD                        the policy that a pod's sidecar has, and where it comes from
  sallyport dashboard                      the fleet on one page, in your browser
  sallyport COMMAND --help                 what a command takes
`;

const USAGE = 2;

type Command = (args: readonly string[], io: Io) => Promise<number>;

/** Each is loaded when it is asked for: nobody waits for the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => {
    const { demo } = await import("./demo/command.ts");
    return (args) => demo(args, console.log);
  },
  inject: async () => (await import("./inject/command.ts")).inject,
  explain: async () => (await import("./policy/explain-command.ts")).explainCommand,
  test: async () => (await import("./policy/test-command.ts")).testCommand,
  simulate: async () => (await import("./policy/simulate-command.ts")).simulateCommand,
  check: async () => (await import("./check/command.ts")).checkCommand,
  stats: async () => (await import("./stats/command.ts")).statsCommand,
  dashboard: async () => (await import("./dashboard/command.ts")).dashboardCommand,
  get: async () => (await import("./get/command.ts")).getCommand,
};

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined || ["help", "--help", "-h"].includes(command)) {
    console.log(HELP.trimEnd());
    return command === undefined ? USAGE : 0;
  }
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (load) return (await load())(args, process);
  console.error(`"${command}" is no command; see sallyport --help`);
  return USAGE;
}

// Whoever reads may stop reading (`sallyport demo | head`); what was begun is still brought to its end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: Error) => {
    console.error(error.message);
    const usage = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    process.exitCode = usage ? USAGE : 1;
  },
);
