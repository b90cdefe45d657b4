import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { sources } from "../../cluster/environment.ts";
import { requirePrograms } from "../../cluster/programs.ts";
import { SYSTEM } from "./controllers.ts";
import { givenCluster } from "./given.ts";

export const RELEASE = "sallyport";
export const CHART = resolve(import.meta.dirname, "../../../charts/sallyport");

/** helm for the installation's namespace, as somebody types it; gives what it printed. */
export function helm(...args: readonly string[]): Promise<string> {
  const { helm: path } = requirePrograms(["helm"], sources());
  const { kubeconfig } = givenCluster();
  const all = [...args, "--namespace", SYSTEM, "--kubeconfig", kubeconfig];
  return new Promise((done, failed) => {
    execFile(path, all, { encoding: "utf8", timeout: 300_000 }, (error, stdout, stderr) => {
      if (error) failed(new Error(`helm ${args.join(" ")}: ${stderr.trim() || error.message}`));
      else done(stdout);
    });
  });
}

/** What was said when the release was installed: JSON, as a file of values may be. */
export const givenValues = () => helm("get", "values", RELEASE, "--output", "json");

export async function revision(): Promise<number> {
  const [last] = JSON.parse(await helm("history", RELEASE, "--max", "1", "--output", "json"));
  return last.revision;
}
