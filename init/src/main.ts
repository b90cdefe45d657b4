import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { VERSION } from "@sallyport/core/version";
import * as z from "zod";
import { apply, type Outcome } from "./apply.ts";
import { cleanup } from "./cleanup.ts";
import { INIT_CONFIG_ENV, InitConfig } from "./contract.ts";
import { iptablesEnvironment, ipv6IsOff } from "./environment.ts";
import { FAMILIES } from "./family.ts";
import { plan } from "./plan.ts";
import { rulesFor } from "./rules.ts";

const HELP = `sallyport-init: sends what leaves this network namespace through the sidecar

  --config FILE  read the config from FILE; without it, from the JSON text in ${INIT_CONFIG_ENV}
  --print        show the rules of both families and change nothing
  --cleanup      remove every rule of ours and nothing else
  --version, --help

Exit status: 0 when the rules are as wanted, 1 when they could not be made so, 2 when the config or a flag is wrong.
`;

const EXIT = { done: 0, failed: 1, misused: 2 } as const;

class Misuse extends Error {}

async function main(): Promise<number> {
  const flags = parseFlags();
  if (flags.help) return say(HELP.trimEnd());
  if (flags.version) return say(VERSION);
  if (flags.print) return say(print(readConfig(flags.config)));
  const host = { env: iptablesEnvironment(process.env), ipv6IsOff };
  const outcome = flags.cleanup ? await cleanup(host) : await apply(readConfig(flags.config), host);
  return tell(outcome);
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        config: { type: "string" },
        print: { type: "boolean" },
        cleanup: { type: "boolean" },
        help: { type: "boolean" },
        version: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Misuse(`${(error as Error).message}: --help lists what there is`);
  }
}

function readConfig(file: string | undefined): InitConfig {
  const source = file ?? INIT_CONFIG_ENV;
  const text = file === undefined ? process.env[INIT_CONFIG_ENV] : readText(file);
  if (text === undefined)
    throw new Misuse(`no config: give --config FILE or set ${INIT_CONFIG_ENV}`);
  const parsed = InitConfig.safeParse(parseJson(source, text));
  if (!parsed.success) throw new Misuse(`${source}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Misuse(`cannot read the config: ${(error as Error).message}`);
  }
}

function parseJson(source: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Misuse(`${source}: not JSON: ${(error as Error).message}`);
  }
}

/** What would be given to iptables-restore where nothing of ours is there yet. */
function print(config: InitConfig): string {
  return ([4, 6] as const)
    .map((family) => {
      const step = plan(new Map(), rulesFor(config, family));
      const { name, command } = FAMILIES[family];
      return `# ${name}: ${command}-restore --noflush\n${step.kind === "restore" ? step.document : ""}`;
    })
    .join("\n")
    .trimEnd();
}

function say(line: string): number {
  process.stdout.write(`${line}\n`);
  return EXIT.done;
}

function tell({ done, faults }: Outcome): number {
  for (const line of done) process.stdout.write(`${line}\n`);
  for (const line of faults) process.stderr.write(`sallyport-init: ${line}\n`);
  return faults.length === 0 ? EXIT.done : EXIT.failed;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.exitCode = error instanceof Misuse ? EXIT.misused : EXIT.failed;
    const said = error instanceof Misuse ? error.message : String((error as Error).stack ?? error);
    process.stderr.write(`sallyport-init: ${said}\n`);
  },
);
