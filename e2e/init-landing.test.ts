import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { InitConfigInput } from "@sallyport/init/contract";
import { APP, type Dial, Landing, type Place, POD_PORT, SIDECAR, WORLD } from "./landing.ts";
import { addForeignRules, BACKENDS, BASE, runInit } from "./landing-init.ts";

/** Where a connection ends: at a listener that names what was dialled, at its destination, or nowhere. */
type End = "sidecar" | "world" | "pod" | "refused" | "echoed";

type Row = readonly [
  what: string,
  dial: Dial,
  to: Place,
  port: number,
  ends: readonly [first: End, other: End, afterCleanup: End],
  user?: { uid: number; gid: number },
];

const FIRST: InitConfigInput = {
  ...BASE,
  excludeCidrs: [`${WORLD[4].excluded}/32`, "2001:db8:2::/48"],
  excludePorts: [22],
  resolvers: [WORLD[4].resolver, WORLD[6].resolver],
  clusterCidrs: ["10.96.0.0/16", "fd00:96::/112"],
};
/** Only a part of TCP is the sidecar's, UDP may leave, and what was excluded no longer is. */
const OTHER: InitConfigInput = {
  ...BASE,
  includeCidrs: ["192.0.2.0/24", "2001:db8:3::/48"],
  includePorts: [8080],
  excludeCidrs: ["192.0.2.128/25", "2001:db8:3:8000::/49"],
  outsideUdp: "allow",
};

const half = { uid: SIDECAR.uid, gid: APP.gid };
const otherHalf = { uid: APP.uid, gid: SIDECAR.gid };
const root = { uid: 0, gid: 0 };

const ROWS: readonly Row[] = [
  ["plain TCP", "tcp", "outside", 80, ["sidecar", "world", "world"]],
  ["plain TCP of root", "tcp", "outside", 80, ["sidecar", "world", "world"], root],
  ["an excluded port", "tcp", "outside", 22, ["world", "world", "world"]],
  ["an included port", "tcp", "outside", 8080, ["sidecar", "sidecar", "world"]],
  ["an excluded range", "tcp", "excluded", 80, ["world", "world", "world"]],
  ["an included port in a range", "tcp", "excluded", 8080, ["world", "sidecar", "world"]],
  ["an included range", "tcp", "included", 80, ["sidecar", "sidecar", "world"]],
  ["a range excluded from it", "tcp", "carvedOut", 80, ["sidecar", "world", "world"]],
  ["an included port excluded so", "tcp", "carvedOut", 8080, ["sidecar", "world", "world"]],
  ["loopback", "tcp", "loopback", POD_PORT, ["pod", "pod", "pod"]],
  ["the pod's own address", "tcp", "pod", POD_PORT, ["pod", "pod", "pod"]],
  ["the sidecar's uid and gid", "tcp", "included", 80, ["world", "world", "world"], SIDECAR],
  ["the sidecar's uid alone", "tcp", "included", 80, ["sidecar", "sidecar", "world"], half],
  ["the sidecar's gid alone", "tcp", "included", 80, ["sidecar", "sidecar", "world"], otherHalf],
  ["TCP inside the cluster", "tcp", "cluster", 80, ["sidecar", "world", "world"]],
  ["DNS over TCP to a resolver", "tcp", "resolver", 53, ["world", "world", "world"]],
  ["DNS over TCP elsewhere", "tcp", "outside", 53, ["sidecar", "world", "world"]],
  ["DNS to a resolver", "udp", "resolver", 53, ["world", "world", "world"]],
  ["DNS elsewhere", "udp", "outside", 53, ["refused", "world", "world"]],
  ["QUIC elsewhere", "udp", "outside", 443, ["refused", "world", "world"]],
  ["QUIC to an excluded range", "udp", "excluded", 443, ["world", "world", "world"]],
  ["UDP inside the cluster", "udp", "cluster", 9999, ["world", "world", "world"]],
  ["UDP of the sidecar's own", "udp", "outside", 443, ["world", "world", "world"], SIDECAR],
  ["UDP of its uid alone", "udp", "outside", 443, ["refused", "world", "world"], half],
  ["an echo outside", "echo", "outside", 0, ["refused", "refused", "echoed"]],
  ["an echo inside the cluster", "echo", "cluster", 0, ["refused", "refused", "echoed"]],
];

for (const backend of BACKENDS) {
  describe(`rules in ${backend}: where connections land`, () => {
    let bed: Landing;
    before(async () => {
      bed = await Landing.create();
      if (backend === "legacy") await addForeignRules(bed.pod, "legacy");
    });
    after(() => bed.close());

    async function land(phase: 0 | 1 | 2): Promise<void> {
      const wrong: string[] = [];
      for (const family of [4, 6] as const)
        for (const [what, dial, place, port, ends, user] of ROWS) {
          const address = WORLD[family][place];
          const end = ends[phase];
          const named = end === "sidecar" || end === "world" || end === "pod";
          const expected = named ? `${end} ${address} ${port}` : end;
          const ended = await bed.dial(dial, address, port, user);
          if (ended !== expected) wrong.push(`IPv${family}, ${what}: ${ended}, not ${expected}`);
        }
      assert.deepEqual(wrong, []);
    }

    async function init(config: InitConfigInput, said: RegExp, ...args: string[]): Promise<void> {
      const { status, stdout, stderr } = await runInit(bed.pod, config, { args });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.match(stdout, said);
    }

    const applied = new RegExp(
      `^IPv4: nat and filter applied \\(${backend}\\), \\d+ rules\nIPv6: nat and filter applied \\(${backend}\\), \\d+ rules\n$`,
    );
    const unchanged = /^IPv4: unchanged .*\nIPv6: unchanged .*\n$/;

    test("after init once", async () => {
      await init(FIRST, applied);
      await land(0);
    });
    test("after init twice, which changes nothing", async () => {
      await init(FIRST, unchanged);
      await land(0);
    });
    test("after init with another config", async () => {
      await init(OTHER, applied);
      await land(1);
    });
    test("after init with the first config again", async () => {
      await init(FIRST, applied);
      await land(0);
    });
    test("after cleanup, and after a second one", async () => {
      await init(FIRST, /^IPv4: removed\nIPv6: removed\n$/, "--cleanup");
      await land(2);
      await init(FIRST, /^IPv4: nothing to remove\nIPv6: nothing to remove\n$/, "--cleanup");
    });
  });
}
