import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { addForeignRules, BACKENDS, BASE, type Ran, runInit, savedRules } from "./landing-init.ts";

describe("init says in a line what it could not do, and what to do", () => {
  let pod: NetworkNamespace;
  before(async () => {
    pod = await NetworkNamespace.create();
  });
  after(() => pod.close());

  function failed({ status, stdout, stderr }: Ran, ...lines: RegExp[]): void {
    assert.deepEqual([status, stdout], [1, ""]);
    assert.equal(stderr.split("\n").length, lines.length + 1, stderr);
    for (const line of lines) assert.match(stderr, line);
  }

  test("without NET_ADMIN", async () => {
    const ran = await runInit(pod, BASE, { wrapper: ["setpriv", "--bounding-set=-net_admin"] });
    failed(
      ran,
      /^sallyport-init: IPv4: .*must be root.*: run init as root with the capabilities NET_ADMIN/m,
      /^sallyport-init: IPv6: .*must be root/m,
    );
  });

  test("without iptables", async () => {
    const hide = 'for d in /usr/sbin /usr/local/sbin; do mount -t tmpfs none $d; done; exec "$@"';
    const ran = await runInit(pod, BASE, {
      wrapper: ["unshare", "--mount", "sh", "-c", hide, "sh"],
    });
    failed(ran, /IPv4: .*iptables-restore: not found: install iptables/, /IPv6: .*not found/);
  });

  test("while another program holds the lock", {
    skip: !BACKENDS.includes("legacy") && "this machine has no legacy iptables",
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-lock-"));
    const lock = join(folder, "lock");
    await addForeignRules(pod, "legacy");
    const holder = spawn("flock", [lock, "sh", "-c", "echo held; exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    try {
      await once(holder.stdout, "data");
      const wrapper = ["env", `XTABLES_LOCKFILE=${lock}`];
      failed(
        await runInit(pod, BASE, { wrapper }),
        /IPv4: nothing was changed: .*xtables lock.*another program is changing the rules/,
        /IPv6: nothing was changed: .*xtables lock/,
      );
      assert.doesNotMatch(await savedRules(pod, "nft"), /SALLYPORT/);
      holder.stdin.end();
      await once(holder, "exit");
      assert.equal((await runInit(pod, BASE, { wrapper })).status, 0);
    } finally {
      holder.stdin.end();
      rmSync(folder, { recursive: true });
    }
  });
});
