import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { APP, Landing, POD_PORT, SIDECAR, WORLD } from "./landing.ts";
import { addForeignRules, BACKENDS, BASE, runInit } from "./landing-init.ts";
import type { LineProcess } from "./landing-lines.ts";

for (const backend of BACKENDS)
  describe(`rules in ${backend}: what is open and what comes in`, () => {
    let bed: Landing;
    let fromOutside: LineProcess;
    before(async () => {
      bed = await Landing.create();
      fromOutside = bed.dialler(bed.world);
      if (backend === "legacy") await addForeignRules(bed.pod, "legacy");
      const { stderr } = await runInit(bed.pod, BASE);
      assert.equal(stderr, "");
    });
    after(() => bed.close());

    for (const family of [4, 6] as const) {
      const { outside, pod } = WORLD[family];

      test(`IPv${family}: a server in the pod answers TCP and UDP from outside`, async () => {
        const server = bed.serve(bed.pod, "server");
        await server.expectOk(`udp ${pod} 9001`);
        for (const [kind, port, answer] of [
          ["tcp", POD_PORT, `pod ${pod} ${POD_PORT}`],
          ["udp", 9001, `server ${pod} 9001`],
          ["echo", 0, "echoed"],
        ] as const)
          assert.equal(await fromOutside.ask(`${kind} ${pod} ${port} 0 0 0`), answer);
      });

      test(`IPv${family}: a port of the pod where nothing listens says so to who asks from outside`, async () => {
        for (const kind of ["tcp", "udp"])
          assert.equal(await fromOutside.ask(`${kind} ${pod} 9002 0 0 0`), "refused");
      });

      test(`IPv${family}: what the sidecar's closed socket has still to send gets through`, async () => {
        const server = bed.serve(bed.world, "sink");
        await server.expectOk(`sink ${outside} 7000`);
        const left = await bed.dial("tail", outside, 7000, SIDECAR, 1 << 19);
        const bytes = Number(/^left (\d+)$/.exec(left)?.[1]);
        assert.ok(bytes > 100_000, left);
        assert.equal(await server.ask("drain"), `drained ${bytes}`);
      });

      test(`IPv${family}: an app cannot go on where a connection of the sidecar's was`, async () => {
        const server = bed.serve(bed.world, "world");
        await server.expectOk(`hold ${outside} 7001`);
        assert.equal(await bed.dial("leave", outside, 7001, SIDECAR, 40_001), "left");
        await server.expectOk("forget");
        let ended: string;
        do ended = await bed.dial("tcp", outside, 7001, APP, 40_001);
        while (/in use|assign/.test(ended)); // the kernel has not yet forgotten the sidecar's socket
        assert.equal(ended, "refused");
      });

      test(`IPv${family}: a socket bound to the loopback interface reaches nobody outside`, async () => {
        await bed.pod.run(
          ...["sh", "-c", `echo 1 > /proc/sys/net/ipv${family}/conf/all/forwarding`],
        );
        assert.match(await bed.dial("lo", outside, 80), /^(silent|unreachable)$/);
      });
    }

    // nat is not asked about such a packet: it would leave for the address that the app dialled, as the app's own.
    test("of a redirected connection that conntrack has forgotten, nothing leaves and nothing is reset", async () => {
      const forget =
        "echo 0 > nf_conntrack_tcp_loose; echo 1 > nf_conntrack_tcp_timeout_established";
      await bed.pod.run("sh", "-c", `cd /proc/sys/net/netfilter && ${forget}`);
      await runInit(bed.pod, { ...BASE, proxyPort: 15_002 });
      for (const family of [4, 6] as const) {
        const sidecar = bed.serve(bed.pod, "sidecar");
        await sidecar.expectOk(`hold ${WORLD[family].loopback} 15002`);
        assert.equal(await bed.dial("late", WORLD[family].outside, 80, APP, 1500), "silent");
      }
    });

    test("IPv6 finds its neighbours anew", async () => {
      for (const namespace of [bed.pod, bed.world])
        await namespace.run("ip", "-6", "neighbour", "flush", "all");
      const { outside, pod } = WORLD[6];
      assert.equal(await bed.dial("tcp", outside, 80, SIDECAR), `world ${outside} 80`);
      await bed.pod.run("ip", "-6", "neighbour", "flush", "all");
      assert.equal(await fromOutside.ask(`tcp ${pod} ${POD_PORT} 0 0 0`), `pod ${pod} ${POD_PORT}`);
    });
  });
