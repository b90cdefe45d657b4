/**
 * An engine in a process of its own, so that what it uses can be counted: relays everything to 127.0.0.1 at the port
 * given, and obeys lines on its standard input: `usage`, `stall MS`, `pause`, `resume`. Answers and news are JSON lines.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { Engine } from "../../src/engine.ts";
import { LIMITS } from "./engine-bed.ts";

const [upstreamPort = "0", limits = "{}"] = process.argv.slice(2);
const say = (what: object) => console.log(JSON.stringify(what));
let finished = 0;
let failed = 0;

const engine = new Engine(
  [{ address: "127.0.0.1", port: 0 }],
  { ...LIMITS, connections: 100_000, ...JSON.parse(limits) },
  {
    accepted: ({ id }) => engine.relay(id, ["127.0.0.1"], Number(upstreamPort), 5_000),
    finished: (_, { how }) => {
      finished += 1;
      if (how !== "end") failed += 1;
    },
    accepting: (paused, error) => say({ paused, error }),
  },
);

function usage() {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the folder's own descriptor
    }
  });
  const kilobytes = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  const { user, system } = process.cpuUsage();
  return {
    finished,
    failed,
    sockets: links.filter((link) => link.startsWith("socket:")).length,
    pipes: links.filter((link) => link.startsWith("pipe:")).length,
    rssKb: kilobytes("VmRSS"),
    cpuMs: (user + system) / 1_000,
  };
}

createInterface(process.stdin)
  .on("line", async (line) => {
    const [command, argument] = line.split(" ");
    if (command === "usage") {
      globalThis.gc?.();
      say({ usage: usage() });
    }
    if (command === "pause") {
      engine.pause();
      await engine.report(); // which comes after it
      say({ pausing: true });
    }
    if (command === "resume") engine.resume();
    if (command === "stall") {
      say({ stalling: true });
      const until = performance.now() + Number(argument);
      while (performance.now() < until);
    }
  })
  .on("close", () => process.exit());

say({ port: engine.ports[0] });
