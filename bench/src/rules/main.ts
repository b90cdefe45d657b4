/** What deciding by name costs beside deciding by address: short connections through sidecars with one rule each. */
import { rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DnsServerProcess } from "@sallyport/cli/lab/dns-server-process";
import { type Bed, DESTINATIONS, layBed, PORT } from "../data-path/bed.ts";
import type { Contender } from "../data-path/contender.ts";
import { ruleFor, sidecarContender } from "../data-path/contenders.ts";
import { FULL, measures } from "../data-path/measures.ts";
import { PATIENCE_MS, quietMachine } from "../data-path/quiet.ts";
import { figures } from "../data-path/results.ts";
import { measureAll } from "../data-path/rounds.ts";
import { type Stage, stage } from "../data-path/stage.ts";
import { figureTable } from "../report.ts";

const HELP = `bench:rules: short connections a second by the kind of rule that permits them

  --runs N        of each (7 unless told)
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
`;

/** The SNI of the load's ClientHello (bench/load/hello.h). */
const NAME = "bench.sallyport.test";
const RESOLVER = "127.0.0.1:5300";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "7" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else if (process.getuid?.() !== 0) throw new Error("it makes network namespaces: run it as root");
else await main(Number(values.runs), values.json);

async function main(runs: number, json: string | undefined): Promise<void> {
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs takes a whole number above 0");
  const staged = await stage(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));
  let bed: Bed | undefined;
  try {
    const contenders = byKind(staged);
    bed = await layBed(staged.server, contenders.length);
    const destinations = contenders.map((_, index) => bed?.destination(index) ?? "");
    const [address, port] = RESOLVER.split(":");
    await DnsServerProcess.start(
      bed.near,
      address ?? "",
      { [NAME]: { A: destinations, ttlSeconds: 5 } },
      Number(port),
    );
    const wanted = measures(FULL).filter(({ group }) => group === "short" || group === "keepalive");
    const quiet = quietMachine(PATIENCE_MS.full);
    const progress = (text: string) => process.stderr.write(`${text}\n`);
    const { outcomes } = await measureAll(contenders, wanted, runs, bed, staged, {
      ...{ progress, quiet },
    });
    const all = figures(outcomes);
    console.log(`${quiet.said()}\n\n${figureTable(all)}`);
    if (json) writeFileSync(json, `${JSON.stringify(all, null, 1)}\n`);
  } finally {
    await bed?.close();
    rmSync(staged.folder, { recursive: true, force: true });
  }
}

/** The destinations are for documentation, and so special: the name is given with its range. */
function byKind(staged: Stage): readonly Contender[] {
  const cidrs = [DESTINATIONS];
  const tls = [{ port: PORT, protocol: "tls" as const }];
  const tcp = [{ port: PORT, protocol: "tcp" as const }];
  return [
    sidecarContender(
      ...(["address", "tcp at a CIDR: nothing is waited for"] as const),
      ruleFor({ cidrs, ports: tcp }),
      staged,
    ),
    sidecarContender(
      ...(["tls", "TLS at a CIDR: the ClientHello is read first"] as const),
      ruleFor({ cidrs, ports: tls }),
      staged,
    ),
    sidecarContender(
      ...([
        "name",
        "a host: the ClientHello is read, the name resolved, an own answer dialled",
      ] as const),
      { ...ruleFor({ hosts: [NAME], cidrs, ports: tls }), resolvers: [RESOLVER] },
      staged,
    ),
  ];
}
