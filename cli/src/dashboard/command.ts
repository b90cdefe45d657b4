import { parseArgs } from "node:util";
import { onCluster } from "../kubernetes/access.ts";
import { CLUSTER_HELP, CLUSTER_OPTIONS } from "../kubernetes/kubeconfig.ts";
import { reading } from "../kubernetes/read.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { startDashboard } from "./dashboard.ts";

const HELP = `sallyport dashboard: the fleet on one page, in your browser

  sallyport dashboard

      --port N            where it listens on 127.0.0.1 (15080; 0: any that is free)
  -n, --namespace NAME    that one alone; otherwise all
${CLUSTER_HELP}
  -h, --help

It asks the API server for pods, namespaces and rules, and each sidecar over a port-forward, with your own permissions, for
as long as somebody looks. It changes nothing, and nothing is installed or exposed in the cluster. Ctrl-C ends it.

Exit status: 0 done; 2 the arguments are wrong; 3 the cluster cannot be reached.
`;

const STATUS = { done: 0, failed: 1, unreachable: 3 } as const;
const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function dashboardCommand(args: readonly string[], io: Io): Promise<number> {
  return run("dashboard", io, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...CLUSTER_OPTIONS,
        port: { type: "string", default: "15080" },
        namespace: { type: "string", short: "n" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.done;
    }
    const port = portOf(values.port);
    return await onCluster("dashboard", io, values, STATUS, async (access) => {
      // Whatever it says: that it answers is enough to begin.
      await reading(access.rest.get("/version"));
      const ended = endOnSignal();
      const dashboard = await startDashboard(access, { port, namespace: values.namespace });
      await print(io.stdout, [`http://localhost:${dashboard.port}/`]);
      await ended;
      await dashboard.close();
      return STATUS.done;
    });
  });
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new BadInput([`--port ${text}: expected a port, 0 to 65535`]);
}

/** Resolves at the first signal; the next ends the process as if nobody listened. */
function endOnSignal(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      for (const signal of ENDINGS) process.off(signal, end);
      resolve();
    };
    for (const signal of ENDINGS) process.on(signal, end);
  });
}
