import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ENVIRONMENT, foreignContext, sources } from "../cluster/environment.ts";
import { requirePrograms } from "../cluster/programs.ts";
import { command } from "../cluster/whole/command.ts";
import { lackingWholeCluster } from "../cluster/whole/needs.ts";
import { MARK, WEB } from "./support/web.ts";

// A cluster beside the one that the other files share: these take their names from the environment when they are loaded.
process.env[ENVIRONMENT.cluster] = "selftest";
const { up } = await import("../cluster/whole/up.ts");
const { Box } = await import("../cluster/whole/box.ts");
const { FILES } = await import("../cluster/whole/configs.ts");
const { nodeAddresses, PLAN } = await import("../cluster/whole/plan.ts");
const { loadImages } = await import("../cluster/whole/load-images.ts");
const { toolsImage } = await import("../cluster/whole/images.ts");
const { status } = await import("../cluster/whole/status.ts");
const { addressWorld, nameWorld } = await import("../cluster/whole/world.ts");

const skip = foreignContext() ? "tries the test cluster itself" : lackingWholeCluster();
const main = resolve(import.meta.dirname, "../cluster/main.ts");

const kubectlArgv = (...args: readonly string[]): [string, ...string[]] => [
  requirePrograms(["kubectl"], sources()).kubectl,
  `--kubeconfig=${FILES.kubeconfig}`,
  ...args,
];
const kubectl = (...args: readonly string[]) => command(...kubectlArgv(...args));
const inPod = (...argv: readonly string[]) => kubectl("exec", "deployment/web", "--", ...argv);
const RETRIED = ["--retry", "20", "--retry-delay", "1", "--retry-all-errors"] as const;
const fetched = ["curl", "--silent", "--show-error", "--fail", "--max-time", "5"] as const;

/** What a kubelet and a kube-proxy would change of the machine that they run on. */
const machine = async () => ({
  ...Object.fromEntries(
    ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"].map(
      (name) => [name, readFileSync(`/proc/sys/${name}`, "utf8")],
    ),
  ),
  rules: (await command("iptables-save")).match(/KUBE-|CNI-/g),
  mounts: readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(PLAN.state)),
  routes: (await command("ip", "route")).split("\n").filter((line) => line.includes("10.")),
});

let asItWas: Awaited<ReturnType<typeof machine>>;
before(async () => {
  if (skip) return;
  asItWas = await machine();
  const box = await up({ tied: true });
  await loadImages(box, [(await toolsImage(sources(), console.error)).file]);
  const file = join(PLAN.state, "web.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: WEB }));
  await kubectl("apply", `--filename=${file}`);
  await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  // kube-proxy hears of a pod that is ready a moment later.
  await inPod(...fetched, ...RETRIED, "http://web");
});
after(async () => {
  if (!skip) await Box.remove();
});

test("pods reach each other by a Service's name, over IPv4 and IPv6", { skip }, async () => {
  for (const family of ["-4", "-6"])
    assert.equal(await inPod(...fetched, family, "http://web"), MARK);
});

test("what is outside reaches pods by a port of the node", { skip }, async () => {
  for (const address of nodeAddresses("dual")) {
    const host = address.includes(":") ? `[${address}]` : address;
    assert.equal(await (await fetch(`http://${host}:30080`)).text(), MARK);
  }
});

test("kubectl exec, logs and port-forward work, and limits are the pod's own", {
  skip,
}, async () => {
  await inPod(...fetched, "http://127.0.0.1:8080");
  assert.match(await kubectl("logs", "deployment/web"), /"GET \/ HTTP\/1.1" 200/);
  assert.match(
    await inPod(
      "sh",
      "-c",
      "cat /sys/fs/cgroup/memory.max 2>&- || cat /sys/fs/cgroup/memory/memory.limit_in_bytes",
    ),
    /^67108864$/m,
  );

  const [program, ...args] = kubectlArgv("port-forward", "deployment/web", ":8080");
  const forward = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = await once(createInterface(forward.stdout), "line");
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(String(line)) ?? [];
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), MARK);
  } finally {
    forward.kill();
  }
});

test("a test makes up the world outside: its addresses and its names; nothing else is there", {
  skip,
}, async () => {
  const box = Box.find();
  assert.ok(box);
  const addresses = ["93.184.216.10", "2606:2800:220:1::10"];
  await addressWorld(box, ...addresses);
  await nameWorld({ "api.example.com": addresses });
  const [program, ...args] = box.enterWorld(
    ...["python3", "-m", "http.server", "80", "--bind", "::", "--directory", "/proc/self/fd"],
  );
  const server: ChildProcess = spawn(program, args, { stdio: "ignore" });
  const ended = once(server, "exit");
  try {
    for (const family of ["-4", "-6"])
      await inPod(
        ...fetched,
        ...RETRIED,
        "--output",
        "/dev/null",
        family,
        "http://api.example.com",
      );
    await assert.rejects(inPod(...fetched, "http://other.example.com"), /Could not resolve host/);
  } finally {
    await box.run("pkill", "-KILL", "-f", "http.server 80");
    await ended;
  }
});

test("status says that all of it runs, and what does not", { skip }, async () => {
  assert.match(
    await command(process.execPath, main, "status"),
    /^sallyport-node +ready; pods: 3 Running$/m,
  );
  await Box.find()?.run("pkill", "-KILL", "kube-scheduler");
  const { lines, well } = await status();
  assert.equal(well, false);
  assert.match(lines.join("\n"), /^kube-scheduler +NOT RUNNING, see .*\/kube-scheduler.log$/m);
});

test("the machine's own rules, mounts, routes and settings are left alone", { skip }, async () => {
  assert.deepEqual(await machine(), asItWas);
});

test("a cluster ends with the command that holds it, killed outright too; down leaves nothing", {
  skip,
}, async () => {
  const env = { ...process.env, [ENVIRONMENT.cluster]: "killed" };
  const holding = spawn(process.execPath, [main, "up", "--hold"], {
    ...{ env, stdio: ["ignore", "inherit", "pipe"] },
  });
  for await (const line of createInterface(holding.stderr as NodeJS.ReadableStream))
    if (String(line).includes("the API server is ready")) break;
  const state = "/var/lib/sallyport-cluster-killed";
  const { holder, cgroups } = JSON.parse(readFileSync(join(state, "state.json"), "utf8"));
  holding.kill("SIGKILL");
  await once(holding, "exit");
  const deadline = performance.now() + 10_000;
  while (existsSync(`/proc/${holder.pid}`) && performance.now() < deadline) await sleep(20);
  assert.equal(existsSync(`/proc/${holder.pid}`), false);
  const processes = () =>
    cgroups.map((folder: string) => readFileSync(join(folder, "cgroup.procs"), "utf8")).join("");
  while (processes() !== "" && performance.now() < deadline) await sleep(20);
  assert.equal(processes(), "");

  await command("env", `${ENVIRONMENT.cluster}=killed`, process.execPath, main, "down");
  for (const path of [state, ...cgroups, "/sys/class/net/sally-killed"])
    assert.equal(existsSync(path), false, path);
});
