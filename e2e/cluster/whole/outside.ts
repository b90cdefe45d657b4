import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ClusterAuthority } from "../pki.ts";
import type { Box } from "./box.ts";
import { addressWorld, nameWorld } from "./world.ts";

/** A public address each, which leads to nobody but the world beyond the test cluster's node. */
export const OUTSIDE = {
  "api.example.com": "93.184.216.10",
  "web.example.com": "93.184.216.11",
  "search.example.com": "93.184.216.12",
  "api.example.net": "93.184.216.13",
} as const;

export interface Outside extends AsyncDisposable {
  /** Who certifies its servers: PEM. */
  readonly authority: string;
  /** Resolves when it is over, whoever has ended it. */
  readonly ended: Promise<unknown>;
}

/** The world of a cluster: web servers of those names, and no others (outside-main.ts). */
export async function openOutside(
  box: Box,
  names: Readonly<Record<string, string>> = OUTSIDE,
): Promise<Outside> {
  const addresses = Object.values(names);
  await addressWorld(box, ...addresses);
  await nameWorld(Object.fromEntries(Object.entries(names).map(([name, at]) => [name, [at]])));
  const authority = await ClusterAuthority.create("the world outside");
  const folder = await mkdtemp(join(tmpdir(), "sallyport-outside-"));
  const file = join(folder, "server.json");
  const [commonName = ""] = Object.keys(names);
  const issued = await authority.issue({ commonName }, [...Object.keys(names), ...addresses]);
  await writeFile(file, JSON.stringify(issued), { mode: 0o600 });
  const [program, ...args] = box.enterWorld(
    ...["setpriv", "--pdeathsig", "KILL", "--", process.execPath],
    ...[join(import.meta.dirname, "outside-main.ts"), file, ...addresses],
  );
  const servers = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(servers, "exit");
  try {
    await Promise.race([
      once(createInterface(servers.stdout), "line"),
      ended.then(() => Promise.reject(new Error("the world's servers have ended"))),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
  return {
    authority: authority.certificate,
    ended,
    [Symbol.asyncDispose]: async () => {
      servers.kill("SIGKILL");
      await ended;
    },
  };
}
