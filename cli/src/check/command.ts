import { parseArgs } from "node:util";
import { onCluster } from "../kubernetes/access.ts";
import {
  CLUSTER_HELP,
  CLUSTER_OPTIONS,
  type ClusterChoice,
  readKubeconfig,
} from "../kubernetes/kubeconfig.ts";
import { ApiRefusal, connect, Unreachable } from "../kubernetes/rest.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { checkBypass, parseTargets } from "./bypass/bypass.ts";
import { bypassJson, bypassText } from "./bypass/report.ts";
import { isLeaky } from "./bypass/verdict.ts";
import { check } from "./check.ts";
import { needsAction } from "./findings.ts";
import { reportJson } from "./json.ts";
import { reportText } from "./text.ts";

const HELP = `sallyport check: whether the installation is healthy, which workloads have no sidecar or an old one, and what of the
rules does not do what it says; or whether a pod gets past its sidecar

  sallyport check
  sallyport check --bypass POD      or deployment/NAME and the like: what goes past it, tried from inside

  -n, --namespace NAME        look at the workloads of this namespace only; may be given again
      --install-namespace NS  where Sallyport is installed (sallyport-system)
      --sidecars NUMBER       ask at most so many what policy they have, one of each workload first (100); 0: none
  -o, --output FORMAT         text or json
      --container NAME        with --bypass: whose part is played; otherwise the pod's first
      --target ADDRESS:PORT   with --bypass: a server of yours outside, [ADDRESS]:PORT for IPv6; otherwise addresses for
                              documentation, where nobody is
${CLUSTER_HELP}
  -h, --help

It changes nothing: a pod is created for trial by a dry run, which stores nothing. What you may not look at is said.
With --bypass it adds an ephemeral container to the pod, as kubectl debug does, which ends within seconds and stays in the
pod's spec.

Exit status: 0 all is well; 1 there is something to act upon, or --bypass could not be tried; 2 the arguments are wrong;
3 the cluster cannot be reached.
`;

const STATUS = { well: 0, findings: 1, failed: 1, unreachable: 3 } as const;

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
        bypass: { type: "string" },
        container: { type: "string" },
        target: { type: "string", multiple: true, default: [] },
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
    if (values.bypass !== undefined) return await tryBypass(values.bypass, values, io);
    if (values.container !== undefined || values.target.length > 0)
      throw new BadInput(["--container and --target are for --bypass POD"]);
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

interface BypassValues extends ClusterChoice {
  readonly namespace: readonly string[];
  readonly container?: string;
  readonly target: readonly string[];
  readonly output: string;
}

function tryBypass(who: string, values: BypassValues, io: Io): Promise<number> {
  const { container, output } = values;
  const [namespace, ...others] = values.namespace;
  if (others.length > 0) throw new BadInput(["--bypass: one pod, of one --namespace"]);
  const targets = parseTargets(values.target);
  return onCluster("check", io, { ...values, namespace }, STATUS, async (access) => {
    const report = await checkBypass(access, { who, container, targets });
    await print(
      io.stdout,
      output === "json" ? [JSON.stringify(bypassJson(report), null, 2)] : bypassText(report),
    );
    return isLeaky(report.rows) ? STATUS.findings : STATUS.well;
  });
}
