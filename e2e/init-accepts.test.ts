import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { formatAddress, formatCidr } from "@sallyport/core/address";
import { InitConfig } from "@sallyport/init/contract";
import { plan } from "@sallyport/init/plan";
import { rulesFor } from "@sallyport/init/rules";
import { parseSaved } from "@sallyport/init/saved";
import fc from "fast-check";
import { BACKENDS } from "./landing-init.ts";

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ family: 6 as const, value })),
  // IPv4-compatible: the C library prints ::1.2.3.4 where RFC 5952 says ::102:304.
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 6 as const, value })),
);
const cidr = fc.tuple(address, fc.nat(128)).map(([{ family, value }, length]) => {
  const bits = family === 4 ? 32 : 128;
  const prefix = Math.min(length, bits);
  const host = (1n << BigInt(bits - prefix)) - 1n;
  return formatCidr({ family, base: value & ~host, prefix });
});
const port = fc.integer({ min: 1, max: 65_535 });
const id = fc.integer({ min: 1, max: 0xffff_fffe });
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 6 });

const config = fc
  .record(
    {
      proxyPort: port,
      proxyUid: id,
      proxyGid: id,
      includeCidrs: some(cidr),
      includePorts: some(port),
      excludeCidrs: some(cidr),
      excludePorts: some(port),
      resolvers: some(address.map(formatAddress)),
      clusterCidrs: some(cidr),
      outsideUdp: fc.constantFrom("reject" as const, "allow" as const),
      ipv4: fc.constantFrom("redirect" as const, "reject" as const),
      ipv6: fc.constantFrom("redirect" as const, "reject" as const),
    },
    { requiredKeys: ["proxyUid", "proxyGid"] },
  )
  .map((input) => InitConfig.parse(input));

for (const backend of BACKENDS)
  describe(`rules in ${backend}`, () => {
    let pod: NetworkNamespace;
    before(async () => {
      pod = await NetworkNamespace.create();
    });
    after(() => pod.close());

    function run(input: string, ...argv: string[]): string {
      const [command, ...args] = pod.enter(...argv);
      const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: "utf8" });
      assert.equal(status, 0, `${stderr}\n${input}`);
      return stdout;
    }

    for (const [family, command] of [
      [4, `iptables-${backend}`],
      [6, `ip6tables-${backend}`],
    ] as const)
      test(`whatever a valid config says, ${command}-save shows just what was written`, () => {
        let saved = parseSaved("");
        fc.assert(
          fc.property(config, (config) => {
            const wanted = rulesFor(config, family);
            const step = plan(saved, wanted);
            if (step.kind === "restore") run(step.document, `${command}-restore`, "--noflush");
            saved = parseSaved(run("", `${command}-save`));
            assert.deepEqual(plan(saved, wanted), { kind: "unchanged" });
          }),
          { numRuns: 40, seed: 20_260_101 },
        );
      });
  });
