import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";

const MAIN = join(import.meta.dirname, "support/held-loop-main.ts");
const LISTENER = "15001";

for (const [family, iptables, address] of [
  ["IPv4", "iptables", "192.0.2.1"],
  ["IPv6", "ip6tables", "2001:db8::1"],
] as const)
  test(`${family}: what was dialled for a held connection, and comes back, is known for the sidecar's own, closed or not`, async (t) => {
    const pod = await NetworkNamespace.create();
    t.after(() => pod.close());
    await pod.run("ip", "address", "add", address, "dev", "lo");
    await pod.run(
      ...[iptables, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", address, "--dport", "80"],
      ...["-j", "REDIRECT", "--to-ports", LISTENER],
    );
    const said = await pod.run(process.execPath, MAIN, LISTENER, address, "80");
    assert.deepEqual(JSON.parse(said), [false, true]);
  });
