import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { play } from "./play.ts";
import { WORLD } from "./world.ts";

const HELP = `sallyport demo: the product in a minute, without a cluster

  sallyport demo             webhook, admission, init, sidecar and an app's attempts, each step shown
  sallyport demo -- CMD…     run a command of yours inside the pod instead; its exit status is given back

  --programs FOLDER          the bundled programs (dist of the checkout unless told: npm run bundle)

Needs root (it makes two network namespaces), iptables and iproute2. Leaves nothing behind.
Inside the pod these are allowed: http://api.example.com/, http://${WORLD.servers[0].address}/, http://secure.example.com:443/ (the
sidecar speaks TLS for the app) and http://${WORLD.partner.name}/ (a Service that stands for ${WORLD.partner.externalName}). Others are not:
http://evil.example/ at any of their addresses, ${WORLD.servers[6].address} port 443.
`;

/** Gives the exit status: 0 only if everything went as the table says. */
export async function demo(argv: readonly string[], say: (line: string) => void): Promise<number> {
  const { options: args, command } = splitCommand(argv);
  const { values } = parseArgs({
    args,
    options: {
      programs: { type: "string", default: join(import.meta.dirname, "../../../dist") },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  const programs = resolve(values.programs);
  const problem = whyNot(programs);
  if (problem) throw new Error(`cannot run the demo: ${problem}`);
  const cleanUps: (() => unknown)[] = [];
  const cleanUp = async () => {
    for (const step of cleanUps.splice(0).reverse()) await step();
  };
  let isInterrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    isInterrupted = true;
    void cleanUp().then(() => process.kill(process.pid, signal));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const handler = () => {
      process.off(signal, handler);
      // A command of the user's has the terminal: the signal is its business, and its end is ours.
      if (command.length === 0 || signal !== "SIGINT") interrupt(signal);
    };
    process.on(signal, handler);
    cleanUps.push(() => process.off(signal, handler));
  }
  try {
    return await play(programs, command, say, cleanUps);
  } catch (error) {
    // What was pulled from under it has failed; the signal ends the program in a moment.
    if (isInterrupted) await new Promise(() => {});
    throw error;
  } finally {
    await cleanUp();
  }
}

/**
 * Options of ours stand before the command; all that follows its first word is the command's. npm takes the `--` of
 * `npm run demo -- curl -v …` for itself.
 */
export function splitCommand(argv: readonly string[]): { options: string[]; command: string[] } {
  const first = argv.findIndex(
    (word, i) => word === "--" || (!word.startsWith("-") && argv[i - 1] !== "--programs"),
  );
  if (first < 0) return { options: [...argv], command: [] };
  return {
    options: argv.slice(0, first),
    command: argv.slice(argv[first] === "--" ? first + 1 : first),
  };
}

function whyNot(programs: string): string | undefined {
  if (process.getuid?.() !== 0)
    return "it makes network namespaces, which needs root: sudo npm run demo";
  for (const name of ["controller", "init", "proxy"])
    if (!existsSync(join(programs, name, `${name}.cjs`)))
      return `${join(programs, name)} is not there: npm run bundle`;
  return undefined;
}
