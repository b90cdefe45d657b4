import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  componentFor,
  componentOf,
  moduleFolder,
  type Program,
  pinnedVersion,
} from "./components.ts";
import type { Sources } from "./environment.ts";
import { findGo, runGo } from "./go.ts";
import { otherKubernetes } from "./other-kubernetes.ts";
import { cached, locate, versionOf } from "./programs.ts";

/** Builds those of the programs that are nowhere yet, one after the other, each usable as soon as it is done. */
export async function buildMissing(
  programs: readonly Program[],
  from: Sources,
  say: (line: string) => void,
): Promise<void> {
  const missing = programs.filter((program) => locate(program, from) === undefined);
  if (missing.length === 0) return;
  const go = findGo(from);
  if (!go)
    throw new Error(
      `cannot build ${missing.join(", ")}: no Go here. Install it, or name a folder that has them in KUBEBUILDER_ASSETS`,
    );
  for (const program of missing) {
    const version = versionOf(program, from);
    say(`building ${program} ${version} from its Go module …`);
    const start = performance.now();
    await build(program, version, go, from);
    say(`built ${program} ${version} in ${Math.round((performance.now() - start) / 1_000)} s`);
  }
}

async function build(program: Program, version: string, go: string, from: Sources): Promise<void> {
  const component = componentOf(program);
  const { programs, stamps } = componentFor(component);
  const folder =
    version === pinnedVersion(component)
      ? moduleFolder(component)
      : await otherKubernetes(version, go, join(from.cache, `kubernetes-${version}`, "module"));
  const linker = Object.entries(stamps?.(version) ?? {}).map(
    ([name, value]) => `-X ${name}=${value}`,
  );
  const target = cached(program, from);
  // Each builder writes a file of its own: whoever is last replaces the same with the same.
  const unfinished = `${target}.${process.pid}`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await runGo(
      go,
      [
        ...["build", "-trimpath", "-buildvcs=false", "-ldflags", ["-s -w", ...linker].join(" ")],
        ...["-o", unfinished, programs[program] ?? program],
      ],
      folder,
    );
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
}
