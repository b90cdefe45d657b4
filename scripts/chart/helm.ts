import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { sources } from "../../e2e/cluster/environment.ts";
import { findPrograms } from "../../e2e/cluster/programs.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const CHART = join(ROOT, "charts/sallyport");
export const NAMESPACE = "sallyport-system";
const RELEASE = "sallyport";
/** Of a cluster that is not asked; a helm that was built from its module alone would take it to be 1.20. */
const KUBERNETES = "1.34.0";

const found = findPrograms(["helm"], sources());

/** Where helm is; or why there is none. */
export const helm: { readonly path: string } | { readonly missing: string } =
  "missing" in found ? found : { path: found.paths.helm };

/** For the `skip` of a test that runs helm. */
export const lackingHelm: string | false = "missing" in helm && `NOT TESTED HERE: ${helm.missing}`;

export class HelmError extends Error {}

/** What helm printed. Throws what it said instead. */
export function runHelm(args: readonly string[], input = ""): string {
  if ("missing" in helm) throw new HelmError(helm.missing);
  try {
    return execFileSync(helm.path, args, {
      input,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    throw new HelmError(String((error as { stderr?: string }).stderr ?? error).trim());
  }
}

/** `helm template`, with values as they would stand in a file. */
export function template(values: object, ...options: readonly string[]): string {
  const where = [RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", KUBERNETES];
  return runHelm(["template", ...where, "--values", "-", ...options], JSON.stringify(values));
}
