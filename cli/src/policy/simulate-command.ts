import { parseArgs } from "node:util";
import { formatRule } from "@sallyport/core/manifest";
import { count, formatAmount, total } from "./amount.ts";
import { BadInput, type Io, print, run, STATUS } from "./io.ts";
import { type PolicyObjects, readObjects } from "./objects.ts";
import { linesOf } from "./record-lines.ts";
import { SETTING_HELP, SETTING_OPTIONS, settingOf } from "./setting.ts";
import { simulationJson, simulationText } from "./simulate-report.ts";
import { Simulation } from "./simulation.ts";

const HELP = `sallyport simulate: what proposed rules would change, by what sidecars have recorded

  sallyport simulate -f FILE … [RECORDS …]     access logs, a JSON record a line; otherwise standard input

  kubectl logs deploy/web -c sallyport-proxy | sallyport simulate -f rules.yaml -l app=web

      --suggest             on standard output the rules alone that would keep open what would be refused, for kubectl
                            apply -f -; the report goes to standard error
      --enforce             as if every boundary said mode: enforce
${SETTING_HELP}text or json
  -h, --help

A record is of a connection, or of one HTTP request on it. Each is judged in its own namespace, unless --namespace names
another. Records carry no labels: give those of the pods they are from. A name resolves to what is recorded; one that
nobody resolved, to the address that was dialled.

Exit status: 0 nothing would be newly refused; 1 something would be, or could be; 2 the arguments or the files are
wrong, or there are no records.
`;

export function simulateCommand(args: readonly string[], io: Io): Promise<number> {
  return run("simulate", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...SETTING_OPTIONS, suggest: { type: "boolean" }, enforce: { type: "boolean" } },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.holds;
    }
    const takesStdin = positionals.length === 0 || positionals.includes("-");
    const setting = settingOf(
      values,
      ["text", "json"],
      values.file?.includes("-") && takesStdin
        ? ["standard input cannot hold both the rules and the records: name a file for one of them"]
        : [],
    );
    const objects = await readObjects(setting.files, io);
    await print(io.stderr, objects.skippedLine());
    const simulation = new Simulation(values.enforce ? enforced(objects) : objects, setting);
    for await (const line of linesOf(positionals, io.stdin)) await simulation.add(line);
    await report(simulation, values, io);
    const { refused, unknown } = simulation.tally.judged;
    return total(refused) + total(unknown) > 0 ? STATUS.fails : STATUS.holds;
  });
}

async function report(
  simulation: Simulation,
  { output, suggest }: { output: string; suggest?: boolean },
  io: Io,
): Promise<void> {
  const amounts = Object.values(simulation.tally.judged);
  if (amounts.every((amount) => total(amount) === 0) && simulation.unjudged === 0)
    throw new BadInput([
      `there are no records in it (${count(simulation.skipped, "line")} of something else)`,
    ]);
  if (output === "json") {
    await print(io.stdout, [JSON.stringify(simulationJson(simulation), null, 2)]);
    return;
  }
  await print(suggest ? io.stderr : io.stdout, simulationText(simulation));
  if (!suggest) return;
  const { rules, uncovered } = simulation.suggest();
  const { refused, unknown } = simulation.tally.beyond;
  const left = [
    ...uncovered.map(({ namespace, destination }) => `  ${namespace}: ${destination}`),
    ...[refused, unknown]
      .filter((amount) => total(amount) > 0)
      .map((amount) => `  ${formatAmount(amount)} to more destinations than are told apart`),
  ];
  await print(
    io.stderr,
    left.length > 0 ? ["", "What these rules do not keep open:", ...left] : [],
  );
  await print(
    io.stdout,
    rules.flatMap((rule, i) => [...(i > 0 ? ["---"] : []), formatRule(rule).trimEnd()]),
  );
}

function enforced({ rules, boundaries, aliases }: PolicyObjects): PolicyObjects {
  return {
    ...{ rules, aliases },
    boundaries: boundaries.map((boundary) => ({
      ...boundary,
      spec: { ...boundary.spec, mode: "enforce" as const },
    })),
  };
}
