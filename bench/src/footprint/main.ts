/** What a sidecar costs a pod before a byte has moved, beside a bare `net` server under the same Node. See --help. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startContainer } from "@sallyport/cli/lab/container";
import { link, NetworkNamespace, routeVia } from "@sallyport/cli/lab/namespace";
import { PROXY_CONFIG_ENV } from "@sallyport/proxy/contract";
import { bundle } from "../../../scripts/bundle.ts";
import { type Figure, figure, memoryOf, said } from "../measure.ts";
import { figureTable } from "../report.ts";
import { NODE_ENVIRONMENT, NODE_FLAGS } from "../sidecar.ts";

const HELP = `bench:footprint: memory and start-up time of the bundled sidecar, beside a bare net server

  --runs N        starts of each (9 unless told); one more comes first and is not counted
  --idle N        idle connections held through the sidecar (1000 unless told; 0: none; needs root)
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
`;

const HERE = import.meta.dirname;
const SETTLE_MS = 1_000;
const USER = 31_337;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "9" },
    idle: { type: "string", default: "1000" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else await main(Number(values.runs), Number(values.idle), values.json);

async function main(runs: number, idle: number, json: string | undefined): Promise<void> {
  if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(idle) || idle < 0) {
    console.error("--runs takes a whole number above 0, --idle a whole number");
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  try {
    const sidecar = join(await bundle("proxy", folder), "proxy.cjs");
    console.log(
      `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB; Linux ${release()}; Node ${process.version}\n`,
    );
    const figures = [
      ...(await start("sidecar", [...NODE_FLAGS, sidecar], runs)),
      ...(await start("bare net", [resolve(HERE, "../../peers/bare-net.cjs")], runs)),
      ...(idle > 0 ? await crowded(sidecar, idle) : []),
    ];
    console.log(figureTable(figures));
    if (json) writeFileSync(json, `${JSON.stringify(figures, null, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Time from exec to listening, and memory once it has been idle for a second. */
async function start(
  contender: string,
  program: readonly string[],
  runs: number,
): Promise<Figure[]> {
  const listening: number[] = [];
  const rss: number[] = [];
  const own: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const startedMs = performance.now();
    const child = spawn(process.execPath, program, {
      env: {
        ...NODE_ENVIRONMENT,
        [PROXY_CONFIG_ENV]: '{"ports": {"outbound": 0, "admin": 0, "ready": 0}}',
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      await said(child, /listening|"ready"/);
      const tookMs = performance.now() - startedMs;
      await sleep(SETTLE_MS);
      const memory = memoryOf(child.pid ?? 0);
      if (run === 0) continue;
      listening.push(tookMs);
      rss.push(memory.rss);
      own.push(memory.private);
    } finally {
      await end(child);
    }
  }
  return [
    figure("time to listening", contender, "ms", listening),
    figure("idle RSS", contender, "MB", rss),
    figure("idle private memory", contender, "MB", own),
  ];
}

/** The sidecar in a pod of its own, with connections through it that say one byte and no more. */
async function crowded(sidecar: string, idle: number): Promise<Figure[]> {
  if (process.getuid?.() !== 0) {
    console.log(`SKIPPED: ${idle} idle connections need network namespaces, and so root`);
    return [];
  }
  const pod = await NetworkNamespace.create();
  const world = await NetworkNamespace.create();
  try {
    await link(
      { namespace: pod, name: "eth0", addresses: ["10.30.0.2/24"] },
      { namespace: world, name: "eth0", addresses: ["10.30.0.1/24"] },
    );
    await routeVia(pod, "10.30.0.1");
    const spare = ["-m", "owner", "--uid-owner", `${USER}`, "-j", "RETURN"];
    await pod.run("iptables", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", ...spare);
    await pod.run(
      ...["iptables", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", "10.30.0.1"],
      ...["-j", "REDIRECT", "--to-ports", "15001"],
    );
    const container = {
      ...{ name: "proxy", image: "proxy" },
      command: ["/opt/sallyport/node", ...NODE_FLAGS, "/opt/sallyport/proxy.cjs"],
      env: [
        { name: PROXY_CONFIG_ENV, value: "{}" },
        ...Object.entries(NODE_ENVIRONMENT).map(([name, value]) => ({ name, value })),
      ],
      securityContext: { runAsUser: USER, runAsGroup: USER, capabilities: { drop: ["ALL"] } },
    };
    const proxy = startContainer(
      { metadata: {}, spec: { containers: [container] } },
      container,
      { namespace: pod, images: { proxy: dirname(sidecar) }, resolvConf: "" },
      ["ignore", "pipe", "pipe"],
    );
    await said(proxy, /"ready"/);
    const crowd = join(HERE, "crowd-main.ts");
    const pipes: SpawnOptions = { stdio: ["ignore", "pipe", "inherit"] };
    await said(world.spawn([process.execPath, crowd, "serve", "7000"], pipes), /ready/);
    await sleep(SETTLE_MS);
    const before = memoryOf(proxy.pid ?? 0);
    const dial = ["dial", "10.30.0.1", "7000", `${idle}`];
    await said(pod.spawn([process.execPath, crowd, ...dial], pipes), /ready/);
    await sleep(SETTLE_MS);
    const after = memoryOf(proxy.pid ?? 0);
    const perConnection = ((after.private - before.private) * 1_024) / idle;
    return [
      figure(`RSS with ${idle} idle connections`, "sidecar", "MB", [after.rss]),
      figure(`private memory with ${idle} idle connections`, "sidecar", "MB", [after.private]),
      figure("private memory per idle connection", "sidecar", "KB", [perConnection]),
    ];
  } finally {
    await pod.close();
    await world.close();
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((done) => child.once("exit", done));
}
