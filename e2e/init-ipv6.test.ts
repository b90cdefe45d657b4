import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Landing, POD_PORT, SIDECAR, WORLD } from "./landing.ts";
import { BACKENDS, BASE, runInit, savedRules } from "./landing-init.ts";

const CONFIG = {
  ...BASE,
  resolvers: [WORLD[4].resolver, WORLD[6].resolver],
  excludePorts: [22],
};
const { outside, resolver, loopback } = WORLD[6];

describe("IPv6 that is not redirected is refused, never leaked", () => {
  let bed: Landing;
  let folder: string;
  before(async () => {
    bed = await Landing.create();
    folder = mkdtempSync(join(tmpdir(), "sallyport-no-nat-"));
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await bed.close();
  });

  async function refusedOutside(): Promise<void> {
    for (const [kind, address, port] of [
      ["tcp", outside, 80],
      ["tcp", outside, 22],
      ["udp", outside, 443],
      ["udp", resolver, 53],
      ["echo", outside, 0],
    ] as const)
      assert.equal(await bed.dial(kind, address, port), "refused", `${kind} ${address} ${port}`);
    assert.equal(await bed.dial("tcp", loopback, POD_PORT), `pod ${loopback} ${POD_PORT}`);
    assert.equal(await bed.dial("tcp", outside, 80, SIDECAR), `world ${outside} 80`);
    const v4 = WORLD[4].outside;
    assert.equal(await bed.dial("tcp", v4, 80), `sidecar ${v4} 80`);
  }

  test("when the config says so", async () => {
    await runInit(bed.pod, CONFIG);
    assert.equal(await bed.dial("tcp", outside, 80), `sidecar ${outside} 80`);
    const { stdout } = await runInit(bed.pod, { ...CONFIG, ipv6: "reject" });
    assert.match(stdout, /^IPv4: unchanged.*\nIPv6: filter applied/);
    await refusedOutside();
    const inbound = bed.dialler(bed.world);
    const pod = WORLD[6].pod;
    assert.equal(await inbound.ask(`tcp ${pod} ${POD_PORT} 0 0 0`), `pod ${pod} ${POD_PORT}`);
  });

  // A kernel that has no IPv6 nat cannot be had here: its ip6tables is played, with the words that it says there.
  test("when the kernel has no IPv6 nat table", async () => {
    await runInit(bed.pod, CONFIG, { args: ["--cleanup"] });
    playMissing(folder, "*'*nat'*");
    const { status, stdout, stderr } = await runInit(bed.pod, CONFIG, inPath(folder));
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^IPv4: nat and filter applied.*\nIPv6: filter applied .*rejected.*'nat'/);
    await refusedOutside();
  });

  test("when that shows only after the filter table has been written", async () => {
    await runInit(bed.pod, CONFIG, { args: ["--cleanup"] });
    playMissing(folder, "*'*nat'*", "late");
    const { status, stdout, stderr } = await runInit(bed.pod, CONFIG, inPath(folder));
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /\nIPv6: filter applied .*rejected.*'nat'/);
    await refusedOutside();
    const saved = await Promise.all(BACKENDS.map((kind) => savedRules(bed.pod, kind)));
    // IPv4 in both tables, IPv6 in filter.
    assert.equal(saved.join("").match(/-j SALLYPORT_OUTPUT$/gm)?.length, 3);
  });

  test("when it can be neither, IPv4 stays redirected and init fails and says so", async () => {
    await runInit(bed.pod, CONFIG, { args: ["--cleanup"] });
    playMissing(folder, "*", "late");
    const { status, stdout, stderr } = await runInit(bed.pod, CONFIG, inPath(folder));
    assert.equal(status, 1);
    assert.match(stdout, /^IPv4: nat and filter applied .*\n$/);
    assert.match(stderr, /^sallyport-init: IPv6: its rules are not complete: .*modprobe.*\n$/);
    const v4 = WORLD[4].outside;
    assert.equal(await bed.dial("tcp", v4, 80), `sidecar ${v4} 80`);
  });

  test("and where not even the filter table is there, init fails and says what to do", async () => {
    await runInit(bed.pod, CONFIG, { args: ["--cleanup"] });
    playMissing(folder, "*");
    const { status, stdout, stderr } = await runInit(bed.pod, CONFIG, inPath(folder));
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^sallyport-init: IPv6: nothing was changed: .*'nat'.*modprobe.*\n$/);
    assert.equal(await bed.dial("tcp", WORLD[4].outside, 80), `world ${WORLD[4].outside} 80`);
  });

  test("where IPv6 is off it is no error, and the rules are there for when it is turned on", async () => {
    await setIpv6(bed, "1");
    const { status, stdout, stderr } = await runInit(bed.pod, CONFIG);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(
      stdout,
      /^IPv4: .*\nIPv6: nat and filter applied.*; IPv6 is off here at present\n$/,
    );
    playMissing(folder, "*");
    await runInit(bed.pod, CONFIG, { args: ["--cleanup"] });
    const without = await runInit(bed.pod, CONFIG, inPath(folder));
    assert.deepEqual([without.status, without.stderr], [0, ""]);
    assert.match(without.stdout, /\nIPv6: off in this kernel, nothing to redirect\n$/);
    await setIpv6(bed, "0");
  });
});

/**
 * Names of ip6tables that refuse a document of this shape and hand on every other call; `late` as nft does: it accepts
 * the test, and writes the tables that come before nat.
 */
function playMissing(folder: string, shape: string, when: "at once" | "late" = "at once"): void {
  const handedOn = when === "late" ? "*--version*|*--test*" : "*--version*";
  for (const name of ["ip6tables-nft-restore", "ip6tables-legacy-restore", "ip6tables-restore"]) {
    const file = join(folder, name);
    writeFileSync(
      file,
      `#!/bin/sh
PATH="\${PATH#*:}:/usr/sbin:/sbin"
case "$*" in ${handedOn}) exec ${name} "$@" ;; esac
input=$(cat)
case "$input" in
${shape}) ${when === "late" ? PARTLY(name) : ":"}
  echo "${name}: unable to initialize table 'nat'" >&2; exit 1 ;;
esac
printf '%s\\n' "$input" | ${name} "$@"
`,
    );
    chmodSync(file, 0o755);
  }
}

const PARTLY = (name: string) => `printf '%s\\n' "$input" | sed '/^[*]nat/,$d' | ${name} "$@"`;

function inPath(folder: string) {
  return { wrapper: ["env", `PATH=${folder}:${process.env.PATH}`] };
}

function setIpv6(bed: Landing, disabled: "0" | "1"): Promise<string> {
  return bed.pod.run(
    ...["sh", "-c", `echo ${disabled} > /proc/sys/net/ipv6/conf/all/disable_ipv6`],
  );
}
