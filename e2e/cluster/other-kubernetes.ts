import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMPONENTS } from "./components.ts";
import { runGo } from "./go.ts";

/**
 * Writes into `folder` a module from which one package of that version of Kubernetes is built, as components/kubernetes is for the pinned
 * one. k8s.io/kubernetes cannot be required by itself: its own libraries stand in its go.mod as v0.0.0, replaced by
 * folders beside it, and are published as v0.MINOR.PATCH.
 */
export async function writeOtherKubernetes(
  folder: string,
  target: string,
  version: string,
  go: string,
): Promise<void> {
  const { module } = COMPONENTS.kubernetes;
  const [, rest] = /^1\.(\d+\.\d+)$/.exec(version) ?? [];
  if (!rest)
    throw new Error(`Kubernetes ${version}: a version has the form 1.MINOR.PATCH, as in 1.36.3`);
  const modFile = join(folder, "go.mod");
  await writeFile(modFile, "module sallyport.dev/e2e/cluster/components/other-kubernetes\n");
  const { GoMod } = JSON.parse(
    await runGo(go, ["mod", "download", "-json", `${module}@v${version}`], folder),
  ) as { GoMod: string };
  const theirs = await readFile(GoMod, "utf8");
  const libraries = [...theirs.matchAll(/^\s*(k8s\.io\/\S+) v0\.0\.0(?:\s|$)/gm)].map(
    ([, name]) => name,
  );
  await writeFile(
    modFile,
    [
      "module sallyport.dev/e2e/cluster/components/other-kubernetes",
      /^go .*$/m.exec(theirs)?.[0] ?? "",
      `require ${module} v${version}`,
      ...libraries.map((name) => `replace ${name} => ${name} v0.${rest}`),
      "",
    ].join("\n"),
  );
  await runGo(go, ["get", `${target}@v${version}`], folder);
}
