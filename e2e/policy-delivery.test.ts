import assert from "node:assert/strict";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority } from "@sallyport/controller/certificates";
import { snapshotLine } from "../proxy/test/support/control-server.ts";
import { ControlServerProcess } from "./support/control-server.ts";
import { EgressPod, HOSTILE, REAL, RESOLVER, ruleOf } from "./support/egress-pod.ts";
import { USER } from "./support/sidecar-pod.ts";
import { told } from "./support/told.ts";

/** A pod whose sidecar knows nothing at its start, and a controller's end of the stream in the world around it. */
const CONTROL = "10.96.0.20";
const HOST = "sallyport.sallyport-system.svc.cluster.local";
const PORT = 8_444;
const call = { address: HOSTILE, port: 443, tls: "www.example.com" } as const;

/** As the first names: what the sidecar asks by is the pod's token, and it writes where nobody else does. */
const folder = mkdtempSync("/dev/shm/sallyport-delivery-");
after(() => rmSync(folder, { recursive: true, force: true }));
const stateDir = join(folder, "state");
mkdirSync(stateDir);
writeFileSync(join(folder, "token"), "a.pods.token");
for (const path of [folder, stateDir]) chownSync(path, USER, USER);

const policy = (revision: string, version: string, ...hosts: string[]) =>
  snapshotLine(
    revision,
    {
      mode: "enforce",
      pod: { namespace: "shop" },
      resolvers: [RESOLVER],
      rules:
        hosts.length === 0
          ? []
          : [ruleOf("web", [{ hosts, ports: [{ port: 443, protocol: "tls" }] }], "shop")],
    },
    { rules: version },
  );

/** Later than the sidecar asks: it has to wait, and its app with it. */
async function giveLate(control: ControlServerProcess): Promise<void> {
  while (control.heard.length === 0) await sleep(50);
  await sleep(500);
  control.say(policy("r1", "1", "www.example.com"));
}

const authority = await createAuthority(Date.now(), "Policy of the test's");
const { certificate, key } = await authority.issue([HOST], Date.now());
let started: ControlServerProcess | undefined;
const bed = await EgressPod.open(
  { after },
  {
    policy: { mode: "audit" },
    control: {
      ...{ host: HOST, port: PORT, ca: authority.certificate },
      ...{ tokenFile: join(folder, "token"), stateDir },
    },
    zone: { "*.example.com": { A: [REAL] }, [HOST]: { A: [CONTROL] } },
    addresses: [CONTROL],
    furnish: async (world) => {
      const control = await ControlServerProcess.start(world, {
        ...{ authority: authority.certificate, certificate, key, host: CONTROL, port: PORT },
      });
      started = control;
      void giveLate(control);
    },
  },
);
const control = started ?? assert.fail();
after(() => control.kill());

const applied = (revision: string) =>
  bed.until(
    () => control.heard.some((line) => line.type === "applied" && line.revision === revision),
    `${revision} to be applied`,
  );

test("the app's first connection is judged by the policy that the controller gave, for which the pod had waited", async () => {
  assert.match(bed.sidecar.log, /"waiting for the first policy"/);
  assert.equal(control.heard[0]?.type, "hello");
  assert.equal(told((await bed.attempt(call)).heard), `${REAL} www.example.com`);
  assert.equal(told((await bed.attempt({ ...call, tls: "api.example.com" })).heard), "alert 49");
});

test("a newer policy from the stream holds for the connections that are open", async () => {
  const held = await bed.app.hold(call);
  assert.equal(held.greeting.how, "enough");
  control.say(policy("r2", "2", "api.example.com"));
  const { how } = await Promise.race([held.ended, sleep(30_000, { how: "open" })]);
  assert.equal(how, "ECONNRESET");
  await bed.until(() => bed.records.some(({ reason }) => reason === "revoked"), "its record");
  assert.equal(
    told((await bed.attempt({ ...call, tls: "api.example.com" })).heard),
    `${REAL} api.example.com`,
  );
});

test("what the app could do and could not is told to the controller, to the last connection", async () => {
  await applied("r2");
  const sum = (verdict: string) =>
    control.heard
      .flatMap((line) => (line.type === "report" ? line.rows : []))
      .filter((row) => row.verdict === verdict)
      .reduce((total, { count }) => total + count, 0);
  const recorded = (verdict: string) =>
    bed.records.filter((record) => record.verdict === verdict).length;
  await bed.app.hangUp();
  for (let i = 0; i < 300 && sum("allow") + sum("deny") !== bed.records.length; i++)
    await sleep(100);
  assert.deepEqual([sum("allow"), sum("deny")], [recorded("allow"), recorded("deny")]);
  assert.ok(recorded("deny") > 0);
});

test("a file's policy does not count where the controllers give it", async () => {
  await bed.until(async () => (await bed.stat("control.connected")) === 1, "the stream");
  const version = await bed.stat("snapshot.version");
  bed.write(JSON.stringify({ policy: { mode: "audit" } }));
  await sleep(1_500);
  assert.equal(await bed.stat("snapshot.version"), version);
});

test("without any controller the pod goes on as it was, and its last policy lies where its next start finds it", async () => {
  control.kill();
  await bed.until(async () => (await bed.stat("control.connected")) === 0, "the stream's end");
  assert.equal(await bed.sidecar.admin("/ready"), "ready\n");
  assert.equal(
    told((await bed.attempt({ ...call, tls: "api.example.com" })).heard),
    `${REAL} api.example.com`,
  );
  assert.equal(told((await bed.attempt(call)).heard), "alert 49");
  assert.equal(JSON.parse(readFileSync(join(stateDir, "policy.json"), "utf8")).revision, "r2");
});
