import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";

const MAIN = join(import.meta.dirname, "support/mistake-main.ts");
const LISTENER = "15001";
const ADDRESS = "192.0.2.1";

test("a mistake of the sidecar's own costs the connection that it was judging, or one record, and is told; others go on", async (t) => {
  const pod = await NetworkNamespace.create();
  t.after(() => pod.close());
  await pod.run("ip", "address", "add", ADDRESS, "dev", "lo");
  await pod.run(
    ...["iptables", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", ADDRESS, "--dport", "80"],
    ...["-j", "REDIRECT", "--to-ports", LISTENER],
  );
  const said = await pod.run(process.execPath, MAIN, LISTENER, ADDRESS, "80");
  assert.deepEqual(JSON.parse(said), {
    told: ["a mistake while judging", "a mistake while recording"],
    reasons: ["failed.internal", "denied.no_rule"],
  });
});
