import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { addForeignRules, BACKENDS, BASE, runInit, savedRules } from "./landing-init.ts";

/**
 * What the init container gets: every file system read-only, /proc/sys and /run too, no new privileges, and of root's
 * capabilities two.
 */
const CONFINED = [
  "unshare",
  "--mount",
  "sh",
  "-euc",
  `mount --make-rprivate /
   mount -t tmpfs none /run
   mount --bind /proc/sys /proc/sys
   for point in $(cut -d' ' -f5 /proc/self/mountinfo | sort -ru); do
     mount -o remount,bind,ro "$point" 2>/dev/null || true
   done
   for file in /run/x /tmp/x /dev/shm/x; do
     if (: > "$file") 2>/dev/null; then echo "$file can be written" >&2; exit 99; fi
   done
   if (echo 0 > /proc/sys/net/ipv4/ip_forward) 2>/dev/null; then exit 99; fi
   exec setpriv --no-new-privs --bounding-set=-all,+net_admin,+net_raw --inh-caps=-all -- "$@"`,
  "sh",
];

for (const backend of BACKENDS)
  test(`${backend}: read-only file systems, two capabilities and no new privileges suffice`, async () => {
    const pod = await NetworkNamespace.create();
    try {
      if (backend === "legacy") await addForeignRules(pod, "legacy");
      for (const said of [
        new RegExp(
          `^IPv4: nat and filter applied \\(${backend}\\).*\nIPv6: nat and filter applied`,
        ),
        /^IPv4: unchanged.*\nIPv6: unchanged/,
      ]) {
        const { status, stdout, stderr } = await runInit(pod, BASE, { wrapper: CONFINED });
        assert.deepEqual([status, stderr], [0, ""]);
        assert.match(stdout, said);
      }
      const { stdout } = await runInit(pod, BASE, { wrapper: CONFINED, args: ["--cleanup"] });
      assert.equal(stdout, "IPv4: removed\nIPv6: removed\n");
      assert.doesNotMatch(await savedRules(pod, backend), /SALLYPORT/);
    } finally {
      await pod.close();
    }
  });
