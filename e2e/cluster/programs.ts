import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { componentOf, type Program, pinnedVersion } from "./components.ts";
import { ENVIRONMENT, type Sources } from "./environment.ts";

/** What is taken from the machine where it has one: any version of it does. */
const SYSTEM_OWN: ReadonlySet<Program> = new Set(["kubectl"]);

export function versionOf(program: Program, { kubernetes }: Sources): string {
  const component = componentOf(program);
  return component === "kubernetes" && kubernetes ? kubernetes : pinnedVersion(component);
}

/** Where a program is kept that was built here. */
export const cached = (program: Program, from: Sources): string =>
  join(from.cache, `${componentOf(program)}-${versionOf(program, from)}`, program);

/** Where it is, if it is anywhere: the given folder, the cache, and for some the machine's own. */
export function locate(program: Program, from: Sources): string | undefined {
  const places = [
    ...(from.assets ? [join(from.assets, program)] : []),
    cached(program, from),
    ...(SYSTEM_OWN.has(program) ? from.path.map((folder) => join(folder, program)) : []),
  ];
  return places.find(executable);
}

/** The paths of these programs, or in words what is missing and how to get it. */
export function findPrograms<P extends Program>(
  programs: readonly P[],
  from: Sources,
): { readonly paths: Readonly<Record<P, string>> } | { readonly missing: string } {
  const found = programs.map((program) => [program, locate(program, from)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([program]) => program);
  const version = from.kubernetes ? `${ENVIRONMENT.kubernetes}=${from.kubernetes} ` : "";
  if (missing.length > 0)
    return {
      missing: `no ${missing.join(", ")} here: ${version}node e2e/cluster/main.ts build ${missing.join(" ")} (needs Go), or name a folder that has them in KUBEBUILDER_ASSETS`,
    };
  return { paths: Object.fromEntries(found) as Record<P, string> };
}

/** As `findPrograms`, where they must be there. */
export function requirePrograms<P extends Program>(
  programs: readonly P[],
  from: Sources,
): Readonly<Record<P, string>> {
  const found = findPrograms(programs, from);
  if ("missing" in found) throw new Error(found.missing);
  return found.paths;
}

export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
