import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { addForeignRules, BACKENDS, BASE, runInit, savedRules } from "./landing-init.ts";

const OURS = /^(-A|:)\S* ?.*SALLYPORT_OUTPUT.*\n/gm;

for (const backend of BACKENDS) {
  describe(`rules in ${backend}, among other people's`, () => {
    let pod: NetworkNamespace;
    let foreign: string;
    before(async () => {
      pod = await NetworkNamespace.create();
      await addForeignRules(pod, backend);
      foreign = await savedRules(pod, backend);
    });
    after(() => pod.close());

    const init = async (...args: string[]) => {
      const { status, stderr } = await runInit(pod, BASE, { args });
      assert.deepEqual([status, stderr], [0, ""]);
      return savedRules(pod, backend);
    };
    const iptables = (...args: string[]) => pod.run(`iptables-${backend}`, ...args);
    const jumps = (saved: string) => saved.match(/^-A OUTPUT .*-j SALLYPORT_OUTPUT$/gm)?.length;

    test("other people's rules survive init, init again and cleanup", async () => {
      const once = await init();
      assert.equal(once.replace(OURS, ""), foreign);
      assert.equal(await init(), once);
      assert.equal(await init("--cleanup"), foreign);
    });

    test("there is one jump in each table and family, never two, and it comes first", async () => {
      const once = await init();
      assert.equal(jumps(once), 4);
      await iptables("-A", "OUTPUT", "-j", "SALLYPORT_OUTPUT");
      await iptables("-I", "OUTPUT", "1", "-p", "tcp", "-j", "ACCEPT");
      await iptables("-t", "nat", "-D", "OUTPUT", "-p", "tcp", "-j", "SALLYPORT_OUTPUT");
      const mended = await init();
      assert.equal(jumps(mended), 4);
      assert.match(mended, /^-A OUTPUT -j SALLYPORT_OUTPUT\n-A OUTPUT -p tcp -j ACCEPT\n/m);
      await iptables("-D", "OUTPUT", "-p", "tcp", "-j", "ACCEPT");
      assert.equal(await init(), once);
    });

    for (const [what, ...tampering] of [
      ["a rule put before ours", "-I", "SALLYPORT_OUTPUT", "1", "-j", "ACCEPT"],
      ["a rule taken out", "-D", "SALLYPORT_OUTPUT", "1"],
      ["a rule after ours", "-A", "SALLYPORT_OUTPUT", "-j", "RETURN"],
      ["a rule replaced", "-R", "SALLYPORT_OUTPUT", "4", "-p", "tcp", "-j", "RETURN"],
      ["no rule left", "-F", "SALLYPORT_OUTPUT"],
    ] as const)
      for (const table of ["filter", "nat"])
        test(`a tampered ${table} chain is repaired: ${what}`, async () => {
          const right = await init();
          await iptables("-t", table, ...tampering);
          assert.notEqual(await savedRules(pod, backend), right);
          assert.equal(await init(), right);
        });
  });
}

test("a copy of our rules in the other backend is removed", {
  skip: BACKENDS.length < 2 && "this machine has one backend",
}, async () => {
  const pod = await NetworkNamespace.create();
  try {
    await addForeignRules(pod, "legacy");
    const foreign = await savedRules(pod, "legacy");
    await runInit(pod, BASE);
    assert.match(await savedRules(pod, "legacy"), /SALLYPORT/);
    // As an init that knew only nft would have left it.
    for (const command of ["iptables-nft", "ip6tables-nft"]) {
      await pod.run(command, "-N", "SALLYPORT_OUTPUT");
      await pod.run(command, "-A", "OUTPUT", "-j", "SALLYPORT_OUTPUT");
    }
    await runInit(pod, BASE);
    const holders = [await savedRules(pod, "nft"), await savedRules(pod, "legacy")];
    assert.equal(holders.filter((saved) => saved.includes("SALLYPORT")).length, 1);
    await runInit(pod, BASE, { args: ["--cleanup"] });
    assert.equal(await savedRules(pod, "legacy"), foreign);
    assert.doesNotMatch(await savedRules(pod, "nft"), /SALLYPORT/);
  } finally {
    await pod.close();
  }
});

test("where nothing was, nothing stays: no hook, no chain, and no table of the backend that was not used", {
  skip: !BACKENDS.includes("nft") && "this machine has no nft",
}, async () => {
  const pod = await NetworkNamespace.create();
  try {
    await runInit(pod, BASE);
    for (const names of ["ip_tables_names", "ip6_tables_names"])
      assert.equal(await pod.run("sh", "-c", `cat /proc/net/${names} 2>/dev/null || true`), "");
    await runInit(pod, BASE, { args: ["--cleanup"] });
    assert.doesNotMatch(await savedRules(pod, "nft"), /^-A|SALLYPORT/m);
  } finally {
    await pod.close();
  }
});
