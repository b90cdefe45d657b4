import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { compile, type Stage } from "../data-path/stage.ts";

const BENCH = resolve(import.meta.dirname, "../..");
const PROXY_PACKAGE = resolve(BENCH, "../node_modules/http-proxy-3");

/** What HTTP needs besides: other ends, and a peer in JavaScript. */
export interface HttpStage extends Stage {
  /** http-proxy-3 in one file, or undefined where it is not installed. */
  readonly httpProxy: string | undefined;
}

export async function httpStage(staged: Stage): Promise<HttpStage> {
  const httpProxy = existsSync(PROXY_PACKAGE) ? await bundled(staged.folder) : undefined;
  return { ...staged, ...compileHttp(staged.folder), httpProxy };
}

/** The two ends that speak HTTP. */
export function compileHttp(folder: string): Pick<Stage, "load" | "server"> {
  const http = (...names: readonly string[]) => names.map((name) => `http/${name}.c`);
  const near = http("message", "exchange", "loop", "load");
  return {
    load: compile("http-load", folder, ["common.c", "near.c", ...near]),
    server: compile("http-origin", folder, ["common.c", ...http("message", "origin")]),
  };
}

async function bundled(folder: string): Promise<string> {
  const outfile = join(folder, "http-proxy.cjs");
  await build({
    ...{ entryPoints: [join(BENCH, "peers/http/http-proxy.mjs")], outfile, bundle: true },
    ...{ platform: "node", target: "node24", format: "cjs", logLevel: "warning" },
  });
  return outfile;
}
