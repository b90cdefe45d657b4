import { parseArgs } from "node:util";
import { CLUSTER_HELP, CLUSTER_OPTIONS, readKubeconfig } from "../kubernetes/kubeconfig.ts";
import { ApiRefusal, connect, Unreachable } from "../kubernetes/rest.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { check } from "./check.ts";
import { needsAction } from "./findings.ts";
import { reportJson } from "./json.ts";
import { reportText } from "./text.ts";

const HELP = `sallyport check: whether the installation is healthy, which workloads have no sidecar or an old one, and what of the
rules does not do what it says

  sallyport check

  -n, --namespace NAME        look at the workloads of this namespace only; may be given again
      --install-namespace NS  where Sallyport is installed (sallyport-system)
      --sidecars NUMBER       ask at most so many what policy they have, one of each workload first (100); 0: none
  -o, --output FORMAT         text or json
${CLUSTER_HELP}
  -h, --help

It changes nothing: a pod is created for trial by a dry run, which stores nothing. What you may not look at is said.

Exit status: 0 all is well; 1 there is something to act upon; 2 the arguments are wrong; 3 the cluster cannot be reached.
`;

const STATUS = { well: 0, findings: 1, unreachable: 3 } as const;

export function checkCommand(args: readonly string[], io: Io): Promise<number> {
  return run("check", io, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...CLUSTER_OPTIONS,
        namespace: { type: "string", short: "n", multiple: true, default: [] },
        "install-namespace": { type: "string", default: "sallyport-system" },
        sidecars: { type: "string", default: "100" },
        output: { type: "string", short: "o", default: "text" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.well;
    }
    if (values.output !== "text" && values.output !== "json")
      throw new BadInput([`--output ${values.output}: expected text or json`]);
    if (!/^\d{1,5}$/.test(values.sidecars))
      throw new BadInput([
        `--sidecars ${values.sidecars}: expected how many to ask at most; 0: none`,
      ]);
    const config = readKubeconfig(values);
    try {
      const report = await check(await connect(config), config, {
        install: values["install-namespace"],
        namespaces: [...new Set(values.namespace)],
        sidecars: Number(values.sidecars),
        nowMs: Date.now(),
      });
      await print(
        io.stdout,
        values.output === "json"
          ? [JSON.stringify(reportJson(report), null, 2)]
          : reportText(report),
      );
      return needsAction(report.findings) ? STATUS.findings : STATUS.well;
    } catch (error) {
      const refused =
        error instanceof ApiRefusal && `the API server cannot be asked: ${error.message}`;
      const said = error instanceof Unreachable ? error.message : refused;
      if (!said) throw error;
      await print(io.stderr, [`sallyport check: ${said}`]);
      return STATUS.unreachable;
    }
  });
}
