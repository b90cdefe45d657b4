import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { link, NetworkNamespace, routeVia } from "@sallyport/cli/lab/namespace";
import { compile } from "./landing.ts";
import { LineProcess } from "./landing-lines.ts";
import { EgressPod, HOSTILE, HOSTILE6, OTHER, REAL, REAL6 } from "./support/egress-pod.ts";
import { fetched } from "./support/fetched.ts";
import { USER } from "./support/sidecar-pod.ts";

/** Ways around the sidecar: other protocols, other users, other pods; and the ways out that the pod's author may open. */
const tools = compile();
after(() => rmSync(tools, { recursive: true }));

const OPEN = 9_000;
const SHUT = 9_001;
const everywhere = [
  { cidrs: ["0.0.0.0/0", "::/0"], ports: [{ port: OPEN, protocol: "tcp" as const }] },
];
const listening = {
  plain: [OPEN, SHUT],
  udp: [REAL, REAL6, HOSTILE].flatMap((address) =>
    [443, OPEN].map((port) => [address, port] as const),
  ),
};
const bed = await EgressPod.open({ after }, { policy: { rules: { everywhere } }, listening });
const POD = { 4: "10.20.0.2", 6: "fd20::2" };

type Kind = "tcp" | "udp" | "echo" | "lo";

/** Dials as any user, from the pod of a bed or from elsewhere; what came of it is in landing/dial.c. */
function diallerIn(namespace: NetworkNamespace) {
  const process = new LineProcess(namespace, [join(tools, "dial")]);
  return (kind: Kind, address: string, port: number, uid = 1_000, gid = 1_000) =>
    process.ask(`${kind} ${address} ${port} ${uid} ${gid} 0`);
}
for (const { pod, world } of [bed.sidecar])
  for (const namespace of [pod, world])
    await namespace.run("sh", "-c", "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range");
const dial = diallerIn(bed.sidecar.pod);

describe("what is no TCP does not leave", () => {
  for (const [what, kind, port] of [
    ["QUIC", "udp", 443],
    ["UDP", "udp", OPEN],
    ["DNS to a server of the app's choosing", "udp", 53],
    ["an echo request", "echo", 0],
  ] as const)
    test(what, async () => {
      for (const address of [REAL, REAL6])
        for (const [uid, gid] of [
          [1_000, 1_000],
          [0, 0],
          [USER, 1_000],
        ] as const)
          assert.equal(await dial(kind, address, port, uid, gid), "refused", `${address} ${uid}`);
    });
  test("while it would have been answered", async () => {
    for (const address of [REAL, REAL6])
      assert.equal(await dial("udp", address, 443, USER, USER), "?");
    const own = diallerIn(bed.sidecar.world);
    assert.equal(await own("echo", REAL, 0), "echoed");
    assert.equal(await own("echo", REAL6, 0), "echoed");
  });
});

describe("all TCP is the sidecar's, of either family and whoever dials", () => {
  for (const [what, uid, gid] of [
    ["an app", 1_000, 1_000],
    ["root", 0, 0],
    ["the sidecar's uid without its gid", USER, 1_000],
    ["the sidecar's gid without its uid", 1_000, USER],
  ] as const)
    test(what, async () => {
      for (const address of [REAL, REAL6]) {
        const before = bed.records.length;
        assert.equal(await dial("tcp", address, OPEN, uid, gid), `${address} -`);
        assert.equal(await dial("tcp", address, SHUT, uid, gid), "reset");
        await bed.until(() => bed.records.length === before + 2, "two records");
        assert.deepEqual(
          bed.records
            .slice(before)
            .map(({ reason, original_address }) => [reason, original_address]),
          [
            ["allowed.rule", address],
            ["denied.no_rule", address],
          ],
        );
      }
    });
  test("only its uid and gid together are its own: a pod with such a user is refused by the webhook", async () => {
    const before = bed.records.length;
    assert.equal(await dial("tcp", REAL, SHUT, USER, USER), `${REAL} -`);
    assert.equal(bed.records.length, before);
  });
});

describe("the sidecar's own ports", () => {
  for (const address of ["127.0.0.1", "::1"])
    test(`an app that dials the listener, ${address}, gets a reset, not a loop`, async () => {
      const before = bed.records.length;
      assert.match(await dial("tcp", address, 15_001), /^(reset|nothing said)$/);
      await bed.until(() => bed.records.length > before, "a record");
      assert.deepEqual(
        bed.records.slice(before).map(({ reason }) => reason),
        ["denied.loop"],
      );
    });

  test("nobody outside the pod reaches listener and admin pages: not the node, not another pod", async () => {
    const { pod, world } = bed.sidecar;
    const neighbour = await NetworkNamespace.create();
    after(() => neighbour.close());
    await link(
      { namespace: neighbour, name: "eth0", addresses: ["10.20.1.2/24", "fd21::2/64"] },
      { namespace: world, name: "eth1", addresses: ["10.20.1.1/24", "fd21::1/64"] },
    );
    await routeVia(neighbour, "10.20.1.1", "fd21::1");
    for (const setting of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"])
      await world.run("sh", "-c", `echo 1 > /proc/sys/net/${setting}`);
    for (const from of [diallerIn(world), diallerIn(neighbour)])
      for (const address of Object.values(POD))
        for (const port of [15_000, 15_001])
          assert.equal(await from("tcp", address, port), "refused", `${address} ${port}`);
    // They could have: this port is for the kubelet and for Prometheus.
    for (const from of [world, neighbour])
      for (const host of [POD[4], `[${POD[6]}]`])
        assert.equal((await fetched(from, `http://${host}:15021/ready`)).body, "ready\n");
    assert.equal(await dial("tcp", POD[4], 15_000), "refused");
    assert.equal((await fetched(pod, "http://127.0.0.1:15000/ready")).body, "ready\n");
  });

  test("the admin pages answer GET of loopback's own names only: a page in a browser cannot rebind its name", async () => {
    const url = "http://127.0.0.1:15000/config_dump";
    for (const [options, expected] of [
      [{}, 200],
      [{ headers: { Host: "rebound.evil.net:15000" } }, 403],
      [{ method: "POST" }, 405],
    ] as const)
      assert.equal((await fetched(bed.sidecar.pod, url, options)).status, expected);
  });
});

/** Where each of these lands: in the world, past the sidecar, or with the sidecar, which has no rule for it. */
async function lands(
  pod: EgressPod,
  rows: readonly (readonly [address: string, port: number, where: "world" | "sidecar"])[],
): Promise<void> {
  const dialIn = diallerIn(pod.sidecar.pod);
  for (const [address, port, where] of rows) {
    const before = pod.records.length;
    const said = await dialIn("tcp", address, port);
    assert.equal(said, where === "world" ? `${address} -` : "reset", `${address} ${port}`);
    if (where === "sidecar") await pod.until(() => pod.records.length > before, "a record");
    assert.equal(pod.records.length, before + (where === "sidecar" ? 1 : 0), `${address} ${port}`);
  }
}

test("excluded ranges and ports leave directly, with any protocol to the ranges, and nothing else does", async (t) => {
  const init = { excludeCidrs: [`${HOSTILE}/32`, `${HOSTILE6}/128`], excludePorts: [OPEN] };
  const pod = await EgressPod.open(t, { policy: {}, listening, init });
  await lands(pod, [
    [HOSTILE, SHUT, "world"],
    [HOSTILE6, SHUT, "world"],
    [REAL, OPEN, "world"],
    [REAL6, OPEN, "world"],
    [REAL, SHUT, "sidecar"],
    [REAL6, SHUT, "sidecar"],
  ]);
  const dialIn = diallerIn(pod.sidecar.pod);
  assert.equal(await dialIn("udp", HOSTILE, 443), "?");
  assert.equal(await dialIn("udp", REAL, OPEN), "refused");
});

test("with included ranges and ports only those are the sidecar's, but for what is excluded from them", async (t) => {
  const init = {
    includeCidrs: ["93.184.216.0/24", "2606:2800::/32"],
    includePorts: [SHUT],
    excludeCidrs: [`${OTHER}/32`],
  };
  const pod = await EgressPod.open(t, { policy: {}, listening, init });
  await lands(pod, [
    [REAL, OPEN, "sidecar"],
    [REAL6, OPEN, "sidecar"],
    [HOSTILE, SHUT, "sidecar"],
    [HOSTILE6, SHUT, "sidecar"],
    [HOSTILE, OPEN, "world"],
    [HOSTILE6, OPEN, "world"],
    [OTHER, OPEN, "world"],
    [OTHER, SHUT, "world"],
  ]);
});
