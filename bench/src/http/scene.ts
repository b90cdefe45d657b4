import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DnsServerProcess } from "@sallyport/cli/lab/dns-server-process";
import { layBed } from "../data-path/bed.ts";
import type { Contender } from "../data-path/contender.ts";
import type { Measure } from "../data-path/measures.ts";
import type { Quiet } from "../data-path/quiet.ts";
import type { Outcomes } from "../data-path/results.ts";
import { measureAll } from "../data-path/rounds.ts";
import { RESOLVER } from "./contenders.ts";
import type { Upstream } from "./measures.ts";
import { HOST } from "./names.ts";
import type { HttpStage } from "./stage.ts";
import { type Certificates, startTlsOrigin } from "./tls-origin.ts";

const TTL_SECONDS = 30;

/** Contenders of one kind and what is measured of them. */
export interface Scene {
  readonly upstream: Upstream;
  readonly contenders: readonly Contender[];
  readonly measures: readonly Measure[];
  /** Where the far end speaks TLS. */
  readonly certificates?: Certificates;
}

/** On a bed of its own: the name leads to every contender's destination. */
export async function measureScene(
  { upstream, contenders, measures, certificates }: Scene,
  runs: number,
  staged: HttpStage,
  quiet: Quiet,
): Promise<Outcomes> {
  // A contender's files are its user's, and that is another one here than in the scene before.
  const folder = join(staged.folder, upstream);
  mkdirSync(folder);
  const bed = await layBed(staged.server, contenders.length);
  try {
    const answers = contenders.map((_, index) => bed.destination(index));
    const zone = { [HOST]: { A: answers, ttlSeconds: TTL_SECONDS } };
    await DnsServerProcess.start(bed.near, RESOLVER.address, zone, RESOLVER.port);
    if (certificates) await startTlsOrigin(bed, folder, certificates);
    const progress = (text: string) => process.stderr.write(`${text}\n`);
    const own = { ...staged, folder };
    return (await measureAll(contenders, measures, runs, bed, own, { progress, quiet })).outcomes;
  } finally {
    await bed.close();
  }
}
