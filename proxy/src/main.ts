import { readFileSync } from "node:fs";
import { get } from "node:http";
import { parseArgs } from "node:util";
import { VERSION } from "@sallyport/core/version";
import { BoundedWriter } from "./bounded-writer.ts";
import { ConfigError, type ConfigFile, configFromEnvironment, readConfigFile } from "./config.ts";
import { POD_NAME_ENV, POD_NAMESPACE_ENV, type ProxyConfig } from "./contract.ts";
import { createLog, type Log } from "./log.ts";
import { type Sidecar, startSidecar } from "./sidecar.ts";
import { watchContent } from "./watch.ts";

const HELP = `sallyport proxy: the sidecar through which a pod's outbound TCP connections leave

  proxy [--config FILE]   serve; without a file the configuration is the JSON text in SALLYPORT_PROXY_CONFIG.
                          When the file changes its policy is applied at once; the rest of it at the next start.
  proxy wait [SECONDS]    wait until the sidecar with this configuration is ready (60 seconds unless told)
  proxy --help | --version

Standard output carries the access log, one JSON line a connection; standard error the sidecar's own log.
`;
const USAGE = 2;

async function main(argv: readonly string[]): Promise<number | undefined> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: "string" },
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
    },
  });
  if (values.help) return print(HELP);
  if (values.version) return print(`${VERSION}\n`);
  const [command, ...rest] = positionals;
  if (command === "wait" && rest.length <= 1)
    return waitUntilReady(readConfig(values.config).config.ports.ready, Number(rest[0] ?? 60));
  if (command !== undefined)
    throw new ConfigError(`"${positionals.join(" ")}" is no command; see --help`);
  await serve(values.config);
  return undefined;
}

function readConfig(path: string | undefined): ConfigFile {
  return path === undefined
    ? { ...configFromEnvironment(process.env), content: "" }
    : readConfigFile(path);
}

async function serve(path: string | undefined): Promise<void> {
  const { config, content, ignored } = readConfig(path);
  const errors = new BoundedWriter(2, 262_144);
  const log = createLog(errors, config.logLevel, Date.now);
  if (ignored.length > 0)
    log(
      "warn",
      `the configuration is of ${config.madeBy}, this is ${VERSION}: passed over are ${ignored.join(", ")}`,
    );
  // Read before the sidecar reads them: what changes in between is read again.
  const bundles = config.upstreamTls.caFiles.map((file) => [file, contentOf(file)] as const);
  const sidecar = await startSidecar({
    config,
    pod: {
      name: process.env[POD_NAME_ENV] ?? "",
      namespace: process.env[POD_NAMESPACE_ENV] ?? "",
    },
    log,
    accessLogFd: 1,
    now: Date.now,
  });
  const tell = (message: string) =>
    log("info", message, {
      ...sidecar.ports,
      // What the controllers say is told with their policy.
      ...(!config.control && { mode: config.policy.mode }),
      started_ms: Math.round(performance.now()),
    });
  tell(sidecar.firstPolicy ? "waiting for the first policy" : "ready");
  void sidecar.firstPolicy?.then(() => tell("ready"));
  const watches = bundles.map(([file, known]) =>
    watchContent(file, known, () => sidecar.readTrust()),
  );
  if (path !== undefined)
    watches.push(watchContent(path, content, () => reload(path, config, sidecar, log)));

  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1);
    stopping = true;
    for (const stopWatching of watches) stopWatching();
    log("info", `${signal}: draining; once more ends at once`);
    void sidecar
      .drain()
      .then(() => errors.flush(1_000))
      .then(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Nothing, where the file cannot be read: the sidecar will say so. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** A file that cannot be used changes nothing; the log, /stats and /ready say so. */
function reload(path: string, started: ProxyConfig, sidecar: Sidecar, log: Log): void {
  let config: ProxyConfig;
  try {
    config = readConfigFile(path).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    sidecar.rejectPolicy(error.message);
    return;
  }
  sidecar.applyPolicy(config.policy);
  const rest = (all: ProxyConfig) => JSON.stringify({ ...all, policy: undefined });
  if (rest(config) !== rest(started))
    log("warn", `only the policy of ${path} is re-read; the rest of it counts from the next start`);
}

/** For an ordinary sidecar's postStart hook: the app's container starts when this has ended. */
async function waitUntilReady(port: number, seconds: number): Promise<number> {
  if (!(seconds > 0)) throw new ConfigError("wait: expected a number of seconds");
  if (port === 0) throw new ConfigError("wait: ports.ready is 0, so nobody knows where to ask");
  const until = performance.now() + seconds * 1_000;
  let last = "";
  while (performance.now() < until) {
    last = await askReady(port, Math.min(Math.ceil(until - performance.now()), 1_000));
    if (last === "") return 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.error(`the sidecar is not ready after ${seconds} s: ${last}`);
  return 1;
}

/** Empty when it is ready; otherwise what stands in the way. */
function askReady(port: number, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path: "/ready", signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? "" : body.trim()));
      response.on("error", (error) => resolve(error.message));
    }).on("error", (error) => resolve(error.message));
  });
}

function print(text: string): number {
  console.log(text.trimEnd());
  return 0;
}

main(process.argv.slice(2)).then(
  (status) => {
    if (status !== undefined) process.exitCode = status;
  },
  (error: Error) => {
    const usage =
      error instanceof ConfigError ||
      ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
    console.error(error.message);
    process.exit(usage ? USAGE : 1);
  },
);
