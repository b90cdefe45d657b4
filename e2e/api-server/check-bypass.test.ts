import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt, Findings, Seen, Task } from "@sallyport/cli/check/bypass/attempt";
import { lacking as skip } from "../cluster/given.ts";
import { type Any, type CheckBed, podOf, startCheckBed } from "./check-bed.ts";
import { given, rule, tls } from "./fleet-bed.ts";
import { RUNNING, sidecarPages } from "./sidecar-pages.ts";

/** `check --bypass` and the API server, with the webhooks of an installation; what the probe sees is a node's to say. */

let bed: CheckBed;
let page: { readonly port: number; close(): void };
before(async () => {
  if (skip) return;
  bed = await startCheckBed();
  await bed.namespace("shop", { "sallyport.dev/injection": "enabled" });
  page = await sidecarPages("shop", given([rule("api", { to: [tls("api.example.com")] })]));
});
after(async () => {
  page?.close();
  await bed?.[Symbol.asyncDispose]();
});

const USER = { runAsUser: 1_000, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };

async function pod(name: string, security: object = USER, annotations = {}): Promise<void> {
  const metadata = {
    namespace: "shop",
    annotations: { "sallyport.dev/inject": "true", ...annotations },
  };
  const containers = [{ name: "app", image: "shop/app:1", securityContext: security }];
  await bed.kubectl(["create", "-f", "-"], podOf(name, { metadata, spec: { containers } }));
  const { status } = JSON.parse(RUNNING);
  const times = { startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:00:01Z" };
  status.initContainerStatuses.unshift({
    ...{ name: "sallyport-init", image: "i", imageID: "", ready: true, restartCount: 0 },
    state: { terminated: { exitCode: 0, ...times } },
  });
  status.containerStatuses = [
    {
      ...{ name: "app", image: "shop/app:1", imageID: "", ready: true, restartCount: 0 },
      state: { running: { startedAt: "2026-01-01T00:00:03Z" } },
    },
  ];
  await say(name, status);
  bed.front.lead("shop", name, page.port);
}

async function say(name: string, status: object): Promise<void> {
  await bed.kubectl([
    ...["patch", "pod", name, "-n", "shop", "--subresource=status", "--type=strategic"],
    ...["-p", JSON.stringify({ status })],
  ]);
}

/** As a node: what was added is run, ends, and has written this. Gives what was added. */
async function play(name: string, saw: (task: Task) => unknown, exitCode = 0): Promise<Any> {
  for (let i = 0; i < 600; i++) {
    const { spec } = JSON.parse(
      await bed.kubectl(["get", "pod", name, "-n", "shop", "-o", "json"]),
    );
    const [container] = spec.ephemeralContainers ?? [];
    if (!container) {
      await sleep(100);
      continue;
    }
    const task: Task = JSON.parse(container.command.at(-1));
    bed.front.logs.set(`shop/${name}/${container.name}`, JSON.stringify(saw(task)));
    const times = { startedAt: "2026-01-01T00:01:00Z", finishedAt: "2026-01-01T00:01:05Z" };
    await say(name, {
      ephemeralContainerStatuses: [
        {
          ...{ name: container.name, image: container.image, imageID: "", restartCount: 0 },
          ...{ ready: false, state: { terminated: { exitCode, reason: "Error", ...times } } },
        },
      ],
    });
    return container;
  }
  throw new Error(`nothing was added to pod ${name}`);
}

const DENIED = { verdict: "deny", reason: "denied.no_rule" } as const;

/** Where everything holds. */
function held(attempt: Attempt): Seen {
  const { id, kind } = attempt;
  if (kind === "udp" || kind === "become") return { id, outcome: "failed", error: "EPERM" };
  if (kind === "page")
    return {
      id,
      outcome: "connected",
      status: { admin_rebound: 403, admin_write: 405 }[id] ?? 200,
    };
  return { id, outcome: "connected", error: "ECONNRESET", record: DENIED };
}

const findings = (task: Task, saw: (attempt: Attempt) => Seen): Findings => ({
  seen: task.attempts.map(saw),
  ...{ recordsRead: true, hasIpv6: true, noNewPrivileges: true, uid: 1_000, gid: 1_000 },
  capabilities: { effective: "0000000000000000", bounding: "0000000000000000" },
});

test("a probe is let in as the app is, with the sidecar's image, and what it saw is told", {
  skip,
}, async () => {
  await pod("whole", USER, { "sallyport.dev/exclude-outbound-ports": "5432" });
  const [{ status, stdout, stderr }, container] = await Promise.all([
    bed.check(["--bypass", "whole", "-n", "shop"]),
    play("whole", (task) => findings(task, held)),
  ]);
  assert.deepEqual([status, stderr], [0, ""], stdout);
  assert.deepEqual(container.securityContext, USER);
  const { spec } = JSON.parse(
    await bed.kubectl(["get", "pod", "whole", "-n", "shop", "-o", "json"]),
  );
  const proxy = spec.initContainers.find(({ name }: Any) => name === "sallyport-proxy");
  assert.deepEqual([container.image, container.command[0]], [proxy.image, "/opt/sallyport/node"]);
  const { attempts }: Task = JSON.parse(container.command.at(-1));
  const byId = new Map(attempts.map((each) => [each.id, each]));
  const { runAsUser: uid, runAsGroup: gid } = proxy.securityContext;
  assert.deepEqual(byId.get("proxy_user"), {
    ...{ id: "proxy_user", kind: "become", uid, gid },
    next: { id: "proxy_user", kind: "tcp", address: "192.0.2.1", port: 8_444 },
  });
  const claimed = byId.get("tls_spoofed_name");
  assert.equal(claimed?.kind === "tls" && claimed.name, "api.example.com");
  for (const line of [
    /^pod shop\/whole: \d+ ways around the sidecar, from inside, as container app$/m,
    /✓ tcp_ipv6 +TCP to an IPv6 address: \[2001:db8::1\]:8443\/tcp\n +the sidecar refused it/,
    /✓ quic_ipv4 +QUIC: 192\.0\.2\.1:443\/udp\n +the pod's own rules refused it \(EPERM\)/,
    /✓ before_ready .*\n +the rules were there at .*:01Z, the first other container began at .*:03Z/,
    /✓ image_user/,
    /- other_protocols/,
    /^note: the probe was ephemeral container bypass-[0-9a-f]{6}; it has ended/m,
    /0 open, 0 unknown, 1 untried$/m,
  ])
    assert.match(stdout, line);
});

test("what went past is told and is the exit status; the target is the user's own", {
  skip,
}, async () => {
  await pod("leaky");
  const [{ status, stdout }] = await Promise.all([
    bed.check([
      "--bypass",
      "pod/leaky",
      "-n",
      "shop",
      "--target",
      "93.184.216.34:9000",
      "-o",
      "json",
    ]),
    play("leaky", (task) =>
      findings(task, (attempt) =>
        attempt.id === "udp_ipv4"
          ? { id: attempt.id, outcome: "answered", heard: "hello" }
          : held(attempt),
      ),
    ),
  ]);
  assert.equal(status, 1);
  const { holds, ways } = JSON.parse(stdout);
  assert.equal(holds, false);
  assert.deepEqual(
    ways.filter(({ verdict }: Any) => verdict === "open"),
    [
      {
        ...{ way: "udp_ipv4", tried: "other UDP: 93.184.216.34:9000/udp", verdict: "open" },
        happened: "it went past the sidecar: answered (hello)",
      },
    ],
  );
});

test("a container that by its image may be root is not said to hold, whoever the probe was", {
  skip,
}, async () => {
  await pod("rootish", { allowPrivilegeEscalation: false });
  const [{ status, stdout }] = await Promise.all([
    bed.check(["--bypass", "rootish", "-n", "shop"]),
    play("rootish", (task) => ({
      ...findings(task, held),
      capabilities: { effective: "0", bounding: "00000000a80425fb" },
    })),
  ]);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /\? proxy_user .*\n +uid 1000 cannot, but by its image the container may be root/,
  );
  assert.match(stdout, /\? raw_sockets /);
  assert.match(stdout, /- image_user /);
});

for (const [what, saw, exitCode, said] of [
  ["ends with an error", () => ({}), 7, /the probe ended with 7: Error/],
  ["says something else", () => ({ hello: 1 }), 0, /the probe's answer is not understood/],
] as const)
  test(`a probe that ${what} is no result`, { skip }, async () => {
    const name = `failing-${exitCode}`;
    await pod(name);
    const [{ status, stdout, stderr }] = await Promise.all([
      bed.check(["--bypass", name, "-n", "shop"]),
      play(name, saw, exitCode),
    ]);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, said);
  });

test("who may not is told so, a pod without a sidecar is not tried, nor what is wrongly asked", {
  skip,
}, async () => {
  await bed.kubectl(["create", "-f", "-"], podOf("plain", { metadata: { namespace: "shop" } }));
  const plain = await bed.check(["--bypass", "plain", "-n", "shop"]);
  assert.equal(plain.status, 1);
  assert.match(plain.stderr, /pod plain has no sidecar: sallyport check says why/);
  const nobody = await bed.check(["--bypass", "plain", "-n", "shop"], "nobody");
  assert.equal(nobody.status, 1);
  assert.match(nobody.stderr, /sallyport check: pods "plain" is forbidden/);
  for (const [args, mistake] of [
    [["--target", "1.2.3.4:5"], /--container and --target are for --bypass/],
    [["--bypass", "x", "--target", "example.com:443"], /expected ADDRESS:PORT/],
    [["--bypass", "x", "-n", "a", "-n", "b"], /one pod, of one --namespace/],
  ] as const) {
    const { status, stderr } = await bed.check(args);
    assert.equal(status, 2);
    assert.match(stderr, mistake);
  }
});
