import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
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
import { writeOtherKubernetes } from "./other-kubernetes.ts";
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
  const source = programs[program] ?? program;
  const target = cached(program, from);
  await mkdir(dirname(target), { recursive: true });
  const unfinished = await mkdtemp(`${target}-`);
  try {
    const pinned = version === pinnedVersion(component);
    if (!pinned) await writeOtherKubernetes(unfinished, source, version, go);
    const linker = Object.entries(stamps?.(version) ?? {}).map(
      ([name, value]) => `-X ${name}=${value}`,
    );
    const built = join(unfinished, program);
    await runGo(
      go,
      [
        ...["build", "-trimpath", "-buildvcs=false", "-ldflags", ["-s -w", ...linker].join(" ")],
        ...["-o", built, source],
      ],
      pinned ? moduleFolder(component) : unfinished,
    );
    // All at once: whoever looks for the program finds it whole or not at all.
    await rename(built, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
