import { parseArgs } from "node:util";
import { sidecarPage } from "../fleet/sidecar-page.ts";
import { onCluster } from "../kubernetes/access.ts";
import { CLUSTER_HELP, CLUSTER_OPTIONS } from "../kubernetes/kubeconfig.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { nameOf, podsToAsk } from "./pods.ts";
import { parseTarget } from "./target.ts";

const HELP = `sallyport stats: what a pod's sidecar counts, without a port-forward of one's own

  sallyport stats POD               or pod/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, job/NAME
  sallyport stats NAME              the pod of that name, or else the deployment

  -n, --namespace NAME    otherwise that of the context
      --all               every pod of a workload, one after the other
      --filter REGEX      only the statistics whose names match
      --format FORMAT     text, json or prometheus
      --path PATH         another page of the sidecar: /destinations, /connections, /decisions, /config_dump, …
${CLUSTER_HELP}
  -h, --help

The connection goes through the API server, as that of kubectl port-forward does, and needs the same permission
(create on pods/portforward).

Exit status: 0 done; 1 the sidecar cannot be asked; 2 the arguments are wrong; 3 the cluster cannot be reached.
`;

const STATUS = { done: 0, failed: 1, unreachable: 3 } as const;
const FORMATS = ["text", "json", "prometheus"];

export function statsCommand(args: readonly string[], io: Io): Promise<number> {
  return run("stats", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        namespace: { type: "string", short: "n" },
        all: { type: "boolean", default: false },
        filter: { type: "string" },
        format: { type: "string" },
        path: { type: "string", default: "/stats" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.done;
    }
    const path = pathOf(values);
    const target = parseTarget(positionals);
    if (values.all && values.format === "prometheus")
      throw new BadInput(["--all --format prometheus: one pod at a time, its names repeat"]);
    return await onCluster("stats", io, values, STATUS, async (access) => {
      const { rest, namespace } = access;
      const asked = { words: positionals, all: values.all };
      const pods = await podsToAsk(rest, namespace, target, asked);
      const pages = await Promise.all(
        pods.map(async (pod) => ({
          name: nameOf(pod),
          body: await sidecarPage(access, pod, path),
        })),
      );
      await print(io.stdout, [
        values.all ? together(pages, values.format) : (pages[0]?.body ?? ""),
      ]);
      return STATUS.done;
    });
  });
}

function pathOf({
  path,
  filter,
  format,
}: {
  path: string;
  filter?: string;
  format?: string;
}): string {
  if (!path.startsWith("/")) throw new BadInput([`--path ${path}: expected a path, as /stats`]);
  if (format !== undefined && !FORMATS.includes(format))
    throw new BadInput([`--format ${format}: expected ${FORMATS.join(", ")}`]);
  const url = new URL(path, "http://localhost");
  if (filter !== undefined) url.searchParams.set("filter", filter);
  if (format !== undefined) url.searchParams.set("format", format);
  return `${url.pathname}${url.search}`;
}

/** Several pods' pages: under a line with the name, or as one object. */
function together(
  pages: readonly { readonly name: string; readonly body: string }[],
  format: string | undefined,
): string {
  if (format !== "json")
    return pages.map(({ name, body }) => `# pod ${name}\n${body}`).join("\n\n");
  return JSON.stringify(
    Object.fromEntries(pages.map(({ name, body }) => [name, JSON.parse(body)])),
    null,
    2,
  );
}
