import { parseArgs } from "node:util";
import { CONTENDERS, GROUPS } from "./names.ts";

export interface Options {
  readonly only: readonly string[];
  readonly groups: readonly string[];
  readonly runs: number;
  readonly quick: boolean;
  readonly json?: string | undefined;
  readonly plot?: string | undefined;
  readonly markdown?: string | undefined;
}

/** What can be asked for, in the order in which it is reported. */
export interface Known {
  readonly contenders: readonly string[];
  readonly groups: readonly string[];
}
export const DATA_PATH: Known = { contenders: CONTENDERS, groups: GROUPS };

export const help = (title: string, minutes: string, { contenders, groups }: Known) => `${title}

  --only A,B      these contenders alone: ${contenders.join(", ")}
  --metrics A,B   these measurements alone: ${groups.join(", ")}
  --runs N        of each measurement (5 unless told; the median is what is said)
  --quick         one short run of each, in about a minute: to see that it works, not to quote
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
  --plot FILE     the figures as bars, SVG
  --markdown FILE the figures and the goals, as bench/README.md shows them
  --help

It makes network namespaces, so it needs root; it takes about ${minutes} minutes.
`;

/** "help", the options, or every mistake in one Error. */
export function parseOptions(
  argv: readonly string[],
  { contenders, groups: allGroups }: Known = DATA_PATH,
): Options | "help" | Error {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    return new Error(`${(error as Error).message}; see --help`);
  }
  if (values.help) return "help";
  const only = list(values.only) ?? contenders;
  const groups = list(values.metrics) ?? allGroups;
  const runs = Number(values.runs ?? (values.quick ? 1 : 5));
  const mistakes = [
    ...unknown("--only", only, contenders),
    ...unknown("--metrics", groups, allGroups),
    ...(Number.isInteger(runs) && runs >= 1
      ? []
      : [`--runs: "${values.runs}" is no whole number above 0`]),
  ];
  if (mistakes.length > 0) return new Error(mistakes.join("\n"));
  const { quick, json, plot, markdown } = values;
  const inOrder = allGroups.filter((group) => groups.includes(group));
  return { only, groups: inOrder, runs, quick, json, plot, markdown };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      only: { type: "string" },
      metrics: { type: "string" },
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      plot: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}

function list(text: string | undefined): string[] | undefined {
  return text?.split(",").map((name) => name.trim());
}

function unknown(option: string, given: readonly string[], known: readonly string[]): string[] {
  return given
    .filter((name) => !known.includes(name))
    .map((name) => `${option}: "${name}" is none of ${known.join(", ")}`);
}
