import { parseArgs } from "node:util";
import { INSTALL_HELP, INSTALL_OPTIONS } from "../fleet/installation.ts";
import { CLUSTER_HELP, CLUSTER_OPTIONS } from "../kubernetes/kubeconfig.ts";
import { count, total } from "./amount.ts";
import { BadInput, type Io, print, run, STATUS } from "./io.ts";
import { enforced, readObjects } from "./objects.ts";
import { linesOf } from "./record-lines.ts";
import { SETTING_HELP, SETTING_OPTIONS, settingOf } from "./setting.ts";
import { printSimulation } from "./simulate-print.ts";
import { Simulation } from "./simulation.ts";

const HELP = `sallyport simulate: what proposed rules would change, by what sidecars have recorded

  sallyport simulate -f FILE … [RECORDS …]     access logs, a JSON record a line; otherwise standard input

  sallyport simulate --proposed FILE … [-n NAME | -A]     what the fleet's sidecars have recorded, against the cluster

  kubectl logs deploy/web -c sallyport-proxy | sallyport simulate -f rules.yaml -l app=web

      --suggest             on standard output the rules alone that would keep open what would be refused, for kubectl
                            apply -f -; the report goes to standard error
      --enforce             as if every boundary said mode: enforce
${SETTING_HELP}text or json
      --proposed FILE       as -f, on top of the cluster's rules and boundaries: what bears the same name is replaced.
                            The sidecars of the namespace are asked for what they have seen, through the API server
  -A, --all-namespaces      with --proposed: of every namespace
${INSTALL_HELP}
${CLUSTER_HELP}
  -h, --help

A record is of a connection, or of one HTTP request on it. Each is judged in its own namespace, unless --namespace names
another. Records carry no labels: give those of the pods they are from. A name resolves to what is recorded; one that
nobody resolved, to the address that was dialled.

Exit status: 0 nothing would be newly refused; 1 something would be, or could be; 2 the arguments or the files are
wrong, or there are no records; 3 the cluster, or none of the sidecars, can be asked.
`;

export function simulateCommand(args: readonly string[], io: Io): Promise<number> {
  return run("simulate", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...SETTING_OPTIONS,
        ...CLUSTER_OPTIONS,
        ...INSTALL_OPTIONS,
        proposed: { type: "string", multiple: true },
        "all-namespaces": { type: "boolean", short: "A" },
        suggest: { type: "boolean" },
        enforce: { type: "boolean" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.holds;
    }
    if (values.proposed) {
      const { simulateFleet } = await import("../simulate/fleet-command.ts");
      return await simulateFleet(values.proposed, positionals, values, io);
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
    const amounts = Object.values(simulation.tally.judged);
    if (amounts.every((amount) => total(amount) === 0) && simulation.unjudged === 0)
      throw new BadInput([
        `there are no records in it (${count(simulation.skipped, "line")} of something else)`,
      ]);
    await printSimulation(simulation, values, io);
    const { refused, unknown } = simulation.tally.judged;
    return total(refused) + total(unknown) > 0 ? STATUS.fails : STATUS.holds;
  });
}
