import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type { DrawIdentity } from "@sallyport/controller/admission/identity";
import { readConfig } from "@sallyport/controller/config";
import { ejectFrom, injectInto } from "./change.ts";
import { joined, rewrite } from "./rewrite.ts";
import { readSources } from "./sources.ts";

const HELP = `sallyport inject: put the sidecar into manifests, offline, as the webhook would

  sallyport inject -f FILE|FOLDER|- …   YAML or JSON, any number of documents; written to standard output

  -f, --file NAME     a file, a folder (its .yaml, .yml and .json, none below it), or - for standard input; repeatable
      --all           every pod that does not say sallyport.dev/inject: "false" (as in a namespace labelled "all");
                      without it those that say "true" (as in a namespace labelled "enabled")
      --config FILE   the injection options: the controller's own configuration file
      --eject         take the sidecar out again
  -h, --help

Pods and every kind that holds a template of them are changed, in a List too; all else passes byte for byte, and of what
is changed every line that is not concerned. A sidecar that is there already keeps its user. What was done is told on
standard error. If any pod is refused nothing is written, and the exit status is 1.
`;
const USAGE = 2;

export interface InjectIo {
  readonly stdin: AsyncIterable<Buffer | string>;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

interface Sink {
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/** Gives the exit status: 0; 1 if a pod was refused or a file could not be read; 2 for wrong arguments. */
export async function inject(args: readonly string[], io: InjectIo): Promise<number> {
  const complain = async (line: string, status: number) => {
    await write(io.stderr, `sallyport inject: ${line}\n`);
    return status;
  };
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return complain(`${(error as Error).message}; see --help`, USAGE);
  }
  if (values.help) {
    await write(io.stdout, HELP);
    return 0;
  }
  if (!values.file) return complain("which manifests? -f FILE, or -f - for standard input", USAGE);
  try {
    return await run(values.file, values, io);
  } catch (error) {
    return complain((error as Error).message, 1);
  }
}

type Values = Pick<ReturnType<typeof parse>, "all" | "config" | "eject">;

async function run(files: readonly string[], { all, config, eject }: Values, io: InjectIo) {
  const options = readConfig(config);
  const injection = all ? "all" : "enabled";
  const sources = await readSources(files, io.stdin);
  const rewritten = sources.map((source) =>
    eject
      ? rewrite(source, "ejected", ejectFrom)
      : rewrite(source, "injected", (document, place) =>
          injectInto(document, place, { injection, options, draw: OFFLINE }),
        ),
  );
  const remarks = rewritten.flatMap((one) => one.remarks);
  if (remarks.length > 0) await write(io.stderr, `${remarks.join("\n")}\n`);
  if (rewritten.some(({ failed }) => failed)) return 1;
  await write(io.stdout, joined(rewritten.map(({ text }) => text)));
  return 0;
}

const OFFLINE: DrawIdentity = { random: (below) => randomInt(below), sealKey: "believe-the-file" };

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: "string", short: "f", multiple: true },
      all: { type: "boolean" },
      config: { type: "string" },
      eject: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  return values;
}

function write(sink: Sink, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
