import { parseArgs } from "node:util";
import type { KubeConfig } from "@kubernetes/client-node";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { PORTS } from "@sallyport/proxy/contract";
import {
  CLUSTER_HELP,
  CLUSTER_OPTIONS,
  namespaceOf,
  readKubeconfig,
} from "../kubernetes/kubeconfig.ts";
import { NotForwarded, pageOf } from "../kubernetes/port-forward.ts";
import { known, reading } from "../kubernetes/read.ts";
import { ApiRefusal, connect, type Rest, Unreachable } from "../kubernetes/rest.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { NoStats, nameOf, podsOf } from "./pods.ts";
import { whySilent } from "./sidecar-state.ts";
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
const PATIENCE_MS = 15_000;

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
    const config = readKubeconfig(values);
    const namespace = values.namespace ?? namespaceOf(config);
    try {
      const rest = await connect(config);
      const pods = await podsOf(rest, namespace, target);
      if (pods.length > 1 && !values.all)
        throw new BadInput([
          `${positionals.join(" ")} has ${pods.length} pods: give --all, or one of ${pods.map(nameOf).join(", ")}`,
        ]);
      const pages = await Promise.all(
        pods.map(async (pod) => ({
          name: nameOf(pod),
          body: await pageFrom(config, rest, namespace, pod, path),
        })),
      );
      await print(io.stdout, [
        values.all ? together(pages, values.format) : (pages[0]?.body ?? ""),
      ]);
      return STATUS.done;
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      await print(io.stderr, [`sallyport stats: ${(error as Error).message}`]);
      return status;
    }
  });
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof Unreachable) return STATUS.unreachable;
  return error instanceof NoStats || error instanceof ApiRefusal ? STATUS.failed : undefined;
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

async function pageFrom(
  config: KubeConfig,
  rest: Rest,
  namespace: string,
  pod: JsonObject,
  path: string,
): Promise<string> {
  const name = nameOf(pod);
  const labels = known(await reading(rest.get(`/api/v1/namespaces/${namespace}`)));
  const silent = whySilent(pod, labels);
  if (silent !== undefined) throw new NoStats(`pod ${name}: ${silent}`);
  try {
    const where = { namespace, pod: name, port: PORTS.admin };
    const { status, body } = await pageOf(config, where, path, PATIENCE_MS);
    if (status === 200) return body.trimEnd();
    throw new NoStats(`pod ${name}: its sidecar answers ${status}: ${body.trim()}`);
  } catch (error) {
    if (!(error instanceof NotForwarded)) throw error;
    throw new NoStats(
      error.status === 403
        ? `pod ${name}: you may not connect to it: ask for create on pods/portforward in namespace ${namespace}`
        : `pod ${name}: cannot ask its sidecar: ${error.message}`,
    );
  }
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
