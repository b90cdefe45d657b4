import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { V1ConfigMap } from "@kubernetes/client-node";
import { VERSION } from "@sallyport/core/version";
import { IMAGES } from "../../scripts/images/build.ts";
import { CONTROLLER, controllersReplaced, SYSTEM } from "./support/controllers.ts";
import { lacking } from "./support/given.ts";
import { CHART, givenValues, helm, RELEASE, revision } from "./support/helm.ts";
import { kubectl, read } from "./support/kubectl.ts";
import { loadNeighbours, NEW_KEY, NEXT, PREVIOUS } from "./support/neighbour-images.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { sallyport } from "./support/sallyport.ts";
import { PROXY } from "./support/sidecar.ts";
import { cannotKill as noNode } from "./support/sigkill.ts";
import { failedOf, Listener, Stream } from "./support/streams.ts";
import { until } from "./support/until.ts";

const skip = lacking || (noNode && "needs images that only a node of our own is given");
const guarded = ownNamespace("skew", ENABLED);
const world = ownNamespace("skew-world");

let to: string;
let original: string;
let firstRevision: number;
before(async () => {
  if (skip) return;
  await loadNeighbours(PREVIOUS, ["proxy", "init"]);
  await loadNeighbours(NEXT, IMAGES);
  to = (await Listener.start(world)).url;
  original = await configuration();
  firstRevision = await revision();
});
after(async () => {
  if (skip) return;
  await configure(original);
  if ((await revision()) !== firstRevision)
    await helm("rollback", RELEASE, String(firstRevision), "--wait", "--timeout", "3m");
});

async function configuration(): Promise<string> {
  const { data } = await read<V1ConfigMap>(SYSTEM, "configmap", RELEASE);
  return data?.["config.json"] ?? "{}";
}

async function configure(config: string): Promise<void> {
  const patch = JSON.stringify({ data: { "config.json": config } });
  await kubectl("patch", "configmap", RELEASE, "-n", SYSTEM, "--type=merge", "--patch", patch);
  await kubectl("rollout", "restart", CONTROLLER, "-n", SYSTEM);
  await controllersReplaced();
}

/** Controllers of whatever version inject sidecars of this one. */
async function injectSidecarsOf(version: string): Promise<void> {
  const config = JSON.parse(await configuration());
  const tagged = (image: string) => image.replace(/:[^:/]+$/, `:${version}`);
  const { proxy, init, ...images } = config.images;
  await configure(
    JSON.stringify({
      ...config,
      images: { ...images, proxy: tagged(proxy), init: tagged(init) },
    }),
  );
}

async function relays(stream: Stream): Promise<void> {
  await until("fifty requests", async () => (await stream.sent()).length >= 50);
  const sent = await stream.sent();
  assert.deepEqual(failedOf(sent), []);
}

interface Finding {
  readonly code: string;
  readonly subject: string;
  readonly message: string;
}

async function findings(): Promise<Finding[]> {
  const { stdout, stderr } = await sallyport("check", "--namespace", guarded, "-o", "json");
  try {
    return JSON.parse(stdout).findings;
  } catch {
    throw new Error(stderr || stdout);
  }
}

for (const [what, version] of [
  ["older", PREVIOUS],
  ["newer", NEXT],
] as const)
  test(`a sidecar that is one minor version ${what} than its controller relays, and check calls it stale, not broken`, {
    skip,
  }, async () => {
    await injectSidecarsOf(version);
    const stream = await Stream.start(guarded, { to, name: what });
    const pod = await stream.pod();
    const sidecar = pod.spec?.initContainers?.find(({ name }) => name === PROXY);
    assert.match(sidecar?.image ?? "", new RegExp(`/proxy:${version}$`));
    await relays(stream);

    await configure(original);
    const about = (await findings()).filter(({ subject }) => subject === `${guarded}/pod/${what}`);
    assert.deepEqual(
      about.map(({ code }) => code),
      ["sidecar_stale"],
    );
    assert.match(about[0]?.message ?? "", new RegExp(version.replaceAll(".", "\\.")));
    await relays(stream);
  });

test("after an upgrade by one minor version the sidecars that are there go on, and check calls them stale, not broken", {
  skip,
}, async () => {
  const stream = await Stream.start(guarded, { to, name: "before-upgrade" });
  await upgradeTo(NEXT);
  await relays(stream);
  const young = await Stream.start(guarded, { to, name: "after-upgrade" });
  await relays(young);

  const all = await findings();
  const codes = (pod: string) =>
    all.filter(({ subject }) => subject === `${guarded}/pod/${pod}`).map(({ code }) => code);
  assert.deepEqual(codes("before-upgrade"), ["sidecar_stale"]);
  assert.deepEqual(codes("after-upgrade"), []);
  assert.ok(all.some(({ code }) => code === "versions_differ"));
});

test("a controller that is one minor version newer may say what its older sidecar does not know: the sidecar logs that it passes it over", {
  skip,
}, async () => {
  await injectSidecarsOf(VERSION);
  const stream = await Stream.start(guarded, { to, name: "told-too-much" });
  await relays(stream);
  const log = await kubectl("logs", stream.name, "-n", guarded, "-c", PROXY);
  const [told] = log.split("\n").filter((line) => line.includes(NEW_KEY));
  assert.match(told ?? "", new RegExp(`the configuration is of ${NEXT}, this is ${VERSION}`));
});

/** By a chart of that version, as its release would bring it. */
async function upgradeTo(version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-chart-"));
  try {
    await cp(CHART, folder, { recursive: true });
    const file = join(folder, "Chart.yaml");
    const chart = await readFile(file, "utf8");
    await writeFile(file, chart.replaceAll(/^(version|appVersion): .*$/gm, `$1: "${version}"`));
    const values = join(folder, "given.json");
    await writeFile(values, await givenValues());
    await helm(
      ...["upgrade", RELEASE, folder, "--values", values, "--set", "image.tag="],
      ...["--wait", "--timeout", "3m"],
    );
    await controllersReplaced();
  } finally {
    await rm(folder, { recursive: true });
  }
}
