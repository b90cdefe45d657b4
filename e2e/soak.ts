/**
 * Ten minutes of everything at once through one sidecar: echoes of all sizes, downloads, resets, connections that idle,
 * refusals. Every byte is checked; memory and descriptors are sampled; a report says how it went. Not run by CI:
 * `npm run soak`, `npm run soak -- --minutes 1`.
 */
import { parseArgs } from "node:util";
import { ruleOf } from "./support/egress-pod.ts";
import { hashOf } from "./support/peer.ts";
import { OUTSIDE, SidecarPod } from "./support/sidecar-pod.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 60)) throw new Error("--minutes takes a number up to 60");

const SAMPLE_MS = 5_000;
const SIZES = [1, 100, 5_000, 50_000, 400_000];
const DOWNLOAD = 20_000_000;

interface Tally {
  done: number;
  wrong: number;
}

const tallies = new Map<string, Tally>();

function count(what: string, right: boolean): void {
  const tally = tallies.get(what) ?? { done: 0, wrong: 0 };
  tally.done += 1;
  if (!right) tally.wrong += 1;
  tallies.set(what, tally);
}

async function main(): Promise<number> {
  const cleanUps: (() => Promise<void>)[] = [];
  try {
    const pod = await SidecarPod.open(
      { after: (step) => cleanUps.push(step) },
      {
        config: {
          policy: {
            mode: "enforce",
            rules: [
              ruleOf("outside", [
                {
                  cidrs: ["192.0.2.0/24", "2001:db8::/32"],
                  ports: [{ port: 7200, endPort: 7299, protocol: "tcp" }],
                },
              ]),
            ],
          },
          accessLog: { select: "off" },
        },
      },
    );
    for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6]) {
      await pod.outside.serve(address, 7200, { ending: "echo" });
      await pod.outside.serve(address, 7201, { say: DOWNLOAD, key: 9 });
    }
    await pod.outside.serve(OUTSIDE.ipv4, 7202, { ending: "hold" });
    void pod.app.crowd(500, OUTSIDE.ipv4, 7202, { say: 1, ending: "hold" });

    const untilMs = performance.now() + minutes * 60_000;
    const samples: { files: number; rssMb: number }[] = [];
    const sampler = setInterval(() => samples.push(pod.usage()), SAMPLE_MS);
    const going = () => performance.now() < untilMs;
    const download = hashOf(DOWNLOAD, 9);
    await Promise.all([
      echoes(pod, going),
      downloads(pod, going, OUTSIDE.ipv4, download),
      downloads(pod, going, OUTSIDE.ipv6, download),
      refusals(pod, going),
    ]);
    clearInterval(sampler);
    return report(samples, await pod.admin("/stats"));
  } finally {
    for (const step of cleanUps.reverse()) await step();
  }
}

async function echoes(pod: SidecarPod, going: () => boolean): Promise<void> {
  for (let round = 0; going(); round++) {
    const size = SIZES[round % SIZES.length] ?? 1;
    const address = round % 2 === 0 ? OUTSIDE.ipv4 : OUTSIDE.ipv6;
    const heard = await pod.app.crowd(50, address, 7200, { say: size });
    for (const [i, { sha256, how }] of heard.entries())
      count(`echo of ${size} bytes`, how === "end" && sha256 === hashOf(size, (i % 200) + 1));
  }
}

async function downloads(
  pod: SidecarPod,
  going: () => boolean,
  address: string,
  sha256: string,
): Promise<void> {
  while (going()) {
    const heard = await pod.app.dial(address, 7201, {});
    count(`download of ${DOWNLOAD / 1_000_000} MB`, heard.sha256 === sha256);
  }
}

async function refusals(pod: SidecarPod, going: () => boolean): Promise<void> {
  while (going()) {
    const heard = await pod.app.crowd(10, OUTSIDE.ipv4, 7300, { say: 10 });
    for (const { how } of heard) count("refusal", how === "ECONNRESET");
  }
}

function report(samples: readonly { files: number; rssMb: number }[], stats: string): number {
  console.log(`\n${minutes} minutes through one sidecar, 500 connections idle beside it\n`);
  for (const [what, { done, wrong }] of tallies)
    console.log(`${what.padEnd(24)} ${String(done).padStart(9)} done  ${wrong} wrong`);
  // The first fifth is the warming up: heaps grow to their working size.
  const steady = samples.slice(Math.floor(samples.length / 5));
  const spread = (figures: number[]) =>
    `${figures[0]?.toFixed(1)} at first, ${figures.at(-1)?.toFixed(1)} at last, ${Math.max(...figures).toFixed(1)} at most`;
  console.log(`\nresident memory, MB      ${spread(steady.map(({ rssMb }) => rssMb))}`);
  console.log(`open descriptors         ${spread(steady.map(({ files }) => files))}`);
  console.log(`\n${stats.match(/^(listener|egress).*$/gm)?.join("\n")}`);
  const wrong = [...tallies.values()].reduce((all, tally) => all + tally.wrong, 0);
  console.log(wrong === 0 ? "\nEvery byte was right." : `\n${wrong} were wrong.`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
