import { execFile } from "node:child_process";
import { type GivenCluster, givenCluster } from "./given.ts";

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  /** Written to its standard input. */
  readonly input?: string;
  /** It is killed then. */
  readonly seconds?: number;
}

/** What child processes need to speak to the cluster, and to no other. */
export const environmentOf = ({ kubeconfig }: GivenCluster): NodeJS.ProcessEnv => ({
  ...process.env,
  KUBECONFIG: kubeconfig,
});

/** Runs kubectl to its end, whichever that is. */
export function tryKubectl(args: readonly string[], options: Options = {}): Promise<Said> {
  const cluster = givenCluster();
  return new Promise((resolve) => {
    const child = execFile(
      cluster.kubectl,
      args,
      {
        encoding: "utf8",
        env: environmentOf(cluster),
        maxBuffer: 64 << 20,
        timeout: (options.seconds ?? 120) * 1_000,
      },
      (error, stdout, stderr) => {
        const status = error ? Number(error.code ?? 1) : 0;
        resolve({ status, stdout, stderr: error?.killed ? `${stderr}\ntook too long` : stderr });
      },
    );
    child.stdin?.end(options.input ?? "");
  });
}

/** Its standard output; an error has what it said. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryKubectl(args);
  if (status !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** `kubectl apply` as a person would; the warnings are on its standard error. */
export async function apply(namespace: string, ...objects: readonly Manifest[]): Promise<Said> {
  const said = await tryApply(namespace, ...objects);
  if (said.status !== 0) throw new Error(`kubectl apply: ${said.stderr.trim()}`);
  return said;
}

export function tryApply(namespace: string, ...objects: readonly Manifest[]): Promise<Said> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  return tryKubectl(["apply", "--namespace", namespace, "--filename", "-"], {
    input: JSON.stringify(list),
  });
}

/** One object, as the API server has it now. */
export async function read<T>(namespace: string, kind: string, name: string): Promise<T> {
  return JSON.parse(await kubectl("get", kind, name, "--namespace", namespace, "--output=json"));
}

/** Those of a namespace with these labels. */
export async function list<T>(namespace: string, kind: string, selector = ""): Promise<T[]> {
  const args = ["get", kind, "--namespace", namespace, "--output=json", `--selector=${selector}`];
  return JSON.parse(await kubectl(...args)).items;
}
