import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Box } from "../cluster/whole/box.ts";
import { compactEtcd, type Killed, killApiServer } from "../cluster/whole/outages.ts";
import {
  CONTROLLER,
  callBackControllers,
  controllerPods,
  controllersReplaced,
  killController,
  killControllers,
  SYSTEM,
  statusOf,
} from "./support/controllers.ts";
import { lacking } from "./support/given.ts";
import { apply, kubectl, type Manifest, tryKubectl } from "./support/kubectl.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { Probe } from "./support/probes.ts";
import {
  boundaryOver,
  condition,
  createRule,
  deleteRule,
  enforcedIn,
  httpTo,
  ruleOf,
  statusOfRule,
} from "./support/rules.ts";
import { PROXY } from "./support/sidecar.ts";
import { cannotKill, killContainer } from "./support/sigkill.ts";
import { failedOf, Stream } from "./support/streams.ts";
import { until } from "./support/until.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld() || cannotKill;
const namespace = enforcedIn(ownNamespace("rules-outages", ENABLED));
outsideIsThere();

const WEB = "http://web.example.com/";
const SEARCH = "http://search.example.com/";
const web = ruleOf("web", httpTo("web.example.com"));

/** Traffic that is permitted throughout, and what is permitted now and then, and never. */
let stream: Stream;
let probe: Probe;
before(async () => {
  if (skip) return;
  await apply(namespace, ruleOf("api", httpTo("api.example.com")));
  stream = await Stream.start(namespace, { to: "http://api.example.com" });
  probe = await Probe.start(namespace, [WEB, SEARCH]);
  await probe.sees(WEB, "403");
});

/** Whatever `work` does to the control plane, nothing that is permitted fails, and nothing passes that is not. */
async function whileTrafficGoesOn(work: () => Promise<unknown>): Promise<number> {
  await until("traffic goes on", async () => (await stream.sent()).length > 10);
  const [before, changes] = [await stream.sent(), await probe.changes()];
  await work();
  const sent = (await stream.sent()).slice(before.length);
  assert.ok(sent.length > 50, `${sent.length} requests only`);
  assert.deepEqual(failedOf(sent), []);
  const since = (await probe.changes()).slice(changes.length);
  assert.deepEqual(
    since.filter(({ url, outcome }) => url === SEARCH || !["200", "403"].includes(outcome)),
    [],
  );
  return sent.length;
}

/** A change after it all: whatever was lost is known again. */
async function converges(): Promise<void> {
  await until("a rule can be written", () => written(() => createRule(namespace, web)));
  await probe.sees(WEB, "200");
  await until("its status is told", async () => {
    const { matchedPods, appliedPods } = await statusOfRule(namespace, "web");
    return matchedPods === appliedPods && (appliedPods ?? 0) >= 2;
  });
  await deleteRule(namespace, "web");
  await probe.sees(WEB, "403");
}

const written = (write: () => Promise<void>) =>
  write().then(
    () => true,
    () => false,
  );

test("the API server is away for a minute, and etcd has forgotten what was before: traffic goes on, a sidecar that is killed meanwhile serves again, and what changes then takes effect", {
  skip,
}, async (t) => {
  const box = Box.find();
  assert.ok(box);
  const restarted = await Stream.start(namespace, { to: "http://api.example.com", name: "other" });
  const { containerID = "" } = statusOf(await restarted.pod(), PROXY);
  const [controller] = await controllerPods();
  let server: Killed | undefined;
  try {
    const sent = await whileTrafficGoesOn(async () => {
      server = await killApiServer(box);
      await sleep(5_000);
      const killedMs = Date.now();
      await killContainer(containerID);
      await compactEtcd(box);
      await sleep(55_000);
      const restartedMs = Date.now();
      await server.restart();
      server = undefined;
      await until("the API server answers", answers);
      const during = (await restarted.sent()).filter(({ sentMs }) => sentMs < restartedMs);
      const cut = during.findLastIndex(({ problem }) => problem !== undefined);
      assert.ok((during[cut]?.sentMs ?? 0) > killedMs, "the sidecar was away for a moment");
      const served = during.slice(cut + 1);
      assert.ok(served.length > 50, `${served.length} requests by the kept policy`);
      t.diagnostic(`a killed sidecar served again ${(served[0]?.sentMs ?? 0) - killedMs} ms later`);
      await converges();
    });
    t.diagnostic(`${sent} requests, none failed`);
    const [same] = await controllerPods();
    assert.equal(
      statusOf(same as never, "controller").restartCount,
      statusOf(controller as never, "controller").restartCount,
      "the controller has lived through it",
    );
  } finally {
    await server?.restart();
    await until("the API server answers", answers);
  }
});

const answers = async () => (await tryKubectl(["get", "--raw", "/readyz"])).status === 0;

test("rules change all the while controllers are killed, one by one and then all of them: traffic goes on, a killed sidecar serves again by the policy that it kept, and the last change counts", {
  skip,
}, async (t) => {
  const lonely = await Stream.start(namespace, { to: "http://api.example.com", name: "lonely" });
  let ended = false;
  let changes = 0;
  const changing = async () => {
    for (let there = false; !ended || there; await sleep(200)) {
      const write = there ? () => deleteRule(namespace, "web") : () => createRule(namespace, web);
      if (!(await written(write))) continue;
      there = !there;
      changes++;
    }
  };
  const sent = await whileTrafficGoesOn(async () => {
    const changed = changing();
    try {
      for (const pod of await controllerPods()) {
        await killController(pod);
        await sleep(5_000);
      }
      await killControllers();
      const { containerID = "" } = statusOf(await lonely.pod(), PROXY);
      await killContainer(containerID);
      const killedMs = Date.now();
      await until("it has been started again, and serves", async () => {
        const { restartCount } = statusOf(await lonely.pod(), PROXY);
        const sent = await lonely.sent();
        return restartCount > 0 && sent.some((each) => each.sentMs > killedMs && !each.problem);
      });
    } finally {
      await callBackControllers();
      ended = true;
      await changed;
    }
    await probe.sees(WEB, "403");
    await converges();
  });
  t.diagnostic(`${changes} changes; ${sent} requests, none failed`);
  assert.ok(changes > 20, `${changes} changes`);
});

/** Date, as a program sees it; a moment's own fields stay as they are. */
const SKEWED = (ms: number) => `
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...args) { super(...(args.length > 0 ? args : [Real.now() + ${ms}])); }
  static now() { return Real.now() + ${ms}; }
};`;

// The kernel has one clock of day for all: it is Node's that is set.
test("the controllers' clock is five minutes ahead, and then behind: sidecars trust them and are trusted, old ones and new", {
  skip,
}, async () => {
  const set = async (value: string) => {
    await kubectl("set", "env", CONTROLLER, value, "-n", SYSTEM);
    await controllersReplaced();
  };
  await whileTrafficGoesOn(async () => {
    try {
      for (const [name, ms] of [
        ["ahead", 300_000],
        ["behind", -300_000],
      ] as const) {
        await set(`NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(SKEWED(ms))}`);
        const { time } = JSON.parse(await kubectl("logs", CONTROLLER, "-n", SYSTEM, "--tail=1"));
        assert.ok(Math.abs(Date.parse(time) - ms - Date.now()) < 120_000, time);
        await converges();
        const young = await Probe.start(namespace, ["http://api.example.com/"], { name });
        await young.sees("http://api.example.com/", "200");
      }
    } finally {
      await set("NODE_OPTIONS-");
    }
    await converges();
  });
});

const GUARD = "validatingwebhookconfiguration/sallyport";
let guard: string | undefined;
after(async () => {
  if (guard !== undefined) await tryKubectl(["create", "-f", "-"], { input: guard });
});

test("poison that gets past validation: what was said before stays in force, through a restart of the controllers too, and nothing else is touched", {
  skip,
}, async () => {
  await whileTrafficGoesOn(async () => {
    await createRule(namespace, web);
    await probe.sees(WEB, "200");
    await unguarded(async () => {
      // A change for the worse, a rule that never was any good, and a boundary that nobody can read.
      await apply(namespace, ruleOf("web", httpTo("no host")), ruleOf("bad", httpTo("a b")));
      await says(
        "egressrule",
        "web",
        /^False Invalid: .*"no host".*what it said before stays in force$/,
      );
      await says("egressrule", "bad", /^False Invalid: .*it permits nothing$/);
      const boundary = boundaryOver(namespace, { allow: [badCidr] });
      await apply("default", boundary);
      const name = boundary.metadata.name;
      await says("egressboundary", name, /^False Invalid: .*what it said before stays in force$/);
      assert.equal((await probe.now(WEB))?.outcome, "200");

      await kubectl("rollout", "restart", CONTROLLER, "-n", SYSTEM);
      await controllersReplaced();
      await says("egressboundary", name, /pods under it keep the policy that they have/);
      assert.equal((await probe.now(WEB))?.outcome, "200");
      const young = await Probe.start(namespace, ["http://api.example.com/"], { name: "young" });
      await young.sees("http://api.example.com/", "403");
      await apply("default", boundaryOver(namespace));
      await young.sees("http://api.example.com/", "200");
    });
    // What it said before is known to nobody now.
    await probe.sees(WEB, "403");
    await kubectl("delete", "egressrule/web", "egressrule/bad", "-n", namespace);
    await converges();
  });
});

const badCidr = { cidrs: ["10.0.0.1/8"], ports: [{ port: 80, protocol: "http" }] };

const says = (kind: "egressrule" | "egressboundary", name: string, expected: RegExp) => {
  let last: string | undefined;
  return until(
    () => `${kind} ${name}: ${expected}; it is ${last}`,
    async () => {
      last = await condition(namespace, kind, name, "Accepted");
      return expected.test(last ?? "");
    },
  );
};

/** Nobody is asked about rules meanwhile. */
async function unguarded(work: () => Promise<void>): Promise<void> {
  const { metadata, ...rest } = JSON.parse(await kubectl("get", GUARD, "-o", "json")) as Manifest;
  const { name, labels, annotations } = metadata;
  guard = JSON.stringify({ ...rest, metadata: { name, labels, annotations } });
  await kubectl("delete", GUARD);
  try {
    await work();
  } finally {
    const { status, stderr } = await tryKubectl(["create", "-f", "-"], { input: guard });
    assert.equal(status, 0, stderr);
    guard = undefined;
  }
}
