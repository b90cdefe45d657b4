import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { CHART, helm, NAMESPACE } from "../../scripts/chart/helm.ts";

const MANIFESTS = join(resolve(import.meta.dirname, "../.."), "manifests");
export const MANIFEST = join(MANIFESTS, "install.yaml");
export const CRDS = join(MANIFESTS, "crds.yaml");

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** helm and kubectl as their user has them, at one API server. */
export interface Commands {
  /** What it said, wherever; fails the test when helm fails. */
  helm(...args: readonly string[]): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<Said>;
  /** What kubectl printed; fails the test when it fails. */
  get(...args: readonly string[]): Promise<string>;
}

export function commandsAt(kubeconfig: string): Commands {
  if ("missing" in helm) throw new Error(helm.missing);
  const { path } = helm;
  const at = ["--kubeconfig", kubeconfig];
  const must = ({ status, stdout, stderr }: Said) => {
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const kubectl: Commands["kubectl"] = (args, input = "") =>
    run("kubectl", [...at, ...args], input);
  return {
    helm: async (...args) => {
      const said = await run(path, [...args, ...at, "--namespace", NAMESPACE]);
      must(said);
      return said.stdout + said.stderr;
    },
    kubectl,
    get: async (...args) => must(await kubectl(["get", ...args])),
  };
}

/** Rules and boundaries, until they can be written. */
export async function takeKinds({ kubectl, get }: Commands): Promise<void> {
  await kubectl(["apply", "-f", CRDS]);
  await kubectl(["wait", "--for=condition=Established", "-f", CRDS, "--timeout=60s"]);
  await get("egressrules,egressboundaries", "--all-namespaces");
}

/** The arguments of an installation, and of its upgrade. */
export const INSTALL = ["install", "sallyport", CHART, "--create-namespace"] as const;
export const UPGRADE = ["upgrade", "sallyport", CHART] as const;

function run(program: string, args: readonly string[], input = ""): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
