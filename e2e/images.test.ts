import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { VERSION } from "@sallyport/core/version";
import { INIT_CONFIG_ENV, type InitConfigInput } from "@sallyport/init/contract";
import { PROXY_CONFIG_ENV, type ProxyConfigInput } from "@sallyport/proxy/contract";
import { configOf, layersOf, unpack } from "../scripts/images/archive.ts";
import { buildImages, IMAGES, type ImageName } from "../scripts/images/build.ts";
import { findTool, NoTool } from "../scripts/images/tools.ts";
import { sources } from "./cluster/environment.ts";

const { cache } = sources();
const lacking = await findTool(cache).then(
  () => false,
  (error) => {
    if (error instanceof NoTool) return `NOT TESTED HERE: ${error.message}`;
    throw error;
  },
);
const NODE = "/opt/sallyport/node";
const USERS: Readonly<Record<ImageName, string>> = {
  proxy: "65532:65532",
  init: "0:0",
  controller: "65532:65532",
};

describe("the images", { skip: lacking }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-images-test-"));
  const archives = new Map<ImageName, string>();
  const rootOf = (image: ImageName) => join(folder, image);
  const archiveOf = (image: ImageName) => archives.get(image) ?? "";

  before(async () => {
    for (const { image, file } of await buildImages({ cache, tag: VERSION })) {
      archives.set(image, file);
      await unpack(file, rootOf(image));
      // What a container runtime adds.
      mkdirSync(join(rootOf(image), "proc"));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A command in the image, as its user, on a root that cannot be written. */
  const inImage = (...command: readonly string[]) =>
    [
      ...["unshare", "--mount", "sh", "-euc"],
      'mount --bind "$ROOT" "$ROOT"; mount -o remount,bind,ro "$ROOT"; mount -t proc proc "$ROOT/proc"; exec chroot --userspec "$USER" "$ROOT" "$@"',
      ...["sh", ...command],
    ] as const;
  const environment = (image: ImageName, more: Readonly<Record<string, string>> = {}) => ({
    PATH: process.env.PATH ?? "",
    ROOT: rootOf(image),
    USER: USERS[image],
    ...more,
  });
  const output = (image: ImageName, ...command: readonly string[]) => {
    const [program, ...args] = inImage(...command);
    return execFileSync(program, args, { env: environment(image), encoding: "utf8" });
  };
  const program = (image: ImageName) => `/opt/sallyport/${image}.cjs`;

  for (const image of IMAGES) {
    test(`${image}: says whose it is, and starts its program as its user`, async () => {
      const { User, Entrypoint, Labels } = await configOf(archiveOf(image));
      assert.equal(User, USERS[image]);
      assert.deepEqual([Entrypoint?.at(0), Entrypoint?.at(-1)], [NODE, program(image)]);
      assert.equal(Labels?.["org.opencontainers.image.title"], `sallyport ${image}`);
      assert.equal(Labels?.["org.opencontainers.image.version"], VERSION);
      const [command = "", ...args] = Entrypoint ?? [];
      assert.equal(output(image, command, ...args, "--version").trim(), VERSION);
      assert.match(output(image, command, ...args, "--help"), /sallyport/);
    });

    test(`${image}: holds Node, its libraries and the program, and no shell`, () => {
      const top = readdirSync(rootOf(image)).filter((name) => !/^lib(64)?$/.test(name));
      const usr = image === "init" ? ["usr"] : [];
      assert.deepEqual(top.sort(), ["etc", "opt", "proc", "run", "tmp", ...usr].sort());
      const files = readdirSync(join(rootOf(image), "opt/sallyport")).sort();
      const beside = image === "proxy" ? ["build", "page.html"] : [];
      assert.deepEqual(files, [...beside, "node", `${image}.cjs`].sort());
    });
  }

  test("all three share the layer that Node is in: a machine fetches and keeps it once", async () => {
    const layers = await Promise.all(IMAGES.map((image) => layersOf(archiveOf(image))));
    const [first, ...others] = layers.map(([lowest]) => lowest?.digest);
    assert.ok(first);
    assert.deepEqual(others, [first, first]);
    for (const [, ...own] of layers)
      assert.ok(own.reduce((bytes, { size }) => bytes + size, 0) < 2_000_000);
  });

  test("names are resolved and TLS destinations verified by what is in it", () => {
    const script = `
      const { getCACertificates } = require("node:tls");
      console.log(getCACertificates("default").length > 100, require("node:os").userInfo().username);
      require("node:dns").lookup("localhost", (error, address) => console.log(error?.code ?? address));
    `;
    const [found, address] = output("proxy", NODE, "--eval", script).trim().split("\n");
    assert.equal(found, "true sallyport");
    // Where nobody has written an /etc/hosts there is no localhost; what matters is that the question can be asked.
    assert.match(address ?? "", /^(127\.0\.0\.1|::1|ENOTFOUND|EAI_AGAIN)$/);
  });

  /** Starts the image's program, waits for the line of its log, asks something of it, and ends it as a kubelet would. */
  async function serving(
    image: ImageName,
    { stream, message, environment: more, args = [] }: Serving,
    ask: (line: Record<string, unknown>) => Promise<void>,
  ): Promise<void> {
    const [command, ...rest] = inImage(NODE, program(image), ...args);
    const child = spawn(command, rest, {
      env: environment(image, more),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(child, "exit");
    try {
      const lines = createInterface(child[stream] as Readable);
      for await (const text of lines) {
        const line = JSON.parse(text);
        if (line.message !== message) continue;
        await ask(line);
        break;
      }
    } finally {
      child.kill("SIGKILL");
      await ended;
      // What nobody reads to its end keeps this process alive.
      for (const each of [child.stdout, child.stderr]) each.destroy();
    }
  }

  test("proxy: listens through its addon, and shows its page", async () => {
    const config: ProxyConfigInput = { ports: { outbound: 0, admin: 0, ready: 0 } };
    const more = { [PROXY_CONFIG_ENV]: JSON.stringify(config) };
    await serving(
      "proxy",
      { stream: "stderr", message: "ready", environment: more },
      async ({ admin }) => {
        const page = await fetch(`http://127.0.0.1:${admin}/`, {
          headers: { accept: "text/html" },
        });
        assert.match(await page.text(), /<!doctype html>/i);
      },
    );
  });

  test("controller: serves with a certificate that it has made", async () => {
    await serving(
      "controller",
      { stream: "stdout", message: "listening", args: ["--port", "0"] },
      async ({ port }) => {
        const ready = execFileSync("curl", ["-ks", `https://127.0.0.1:${port}/readyz`]);
        assert.match(String(ready), /ok/i);
      },
    );
  });

  for (const backend of ["nft", "legacy"])
    test(`init: writes its rules by iptables-${backend} in a network namespace, both families`, async () => {
      const namespace = await NetworkNamespace.create();
      try {
        const config: InitConfigInput = { proxyUid: 20_000, proxyGid: 20_000 };
        const run = (...command: readonly string[]) => {
          const [outer, ...args] = namespace.enter(...inImage(...command));
          return execFileSync(outer, args, {
            env: environment("init", { [INIT_CONFIG_ENV]: JSON.stringify(config) }),
            encoding: "utf8",
          });
        };
        // Where others' rules are, ours go: one of theirs, before.
        const document =
          "*filter\n:THEIRS - [0:0]\n-A THEIRS -m comment --comment theirs -j RETURN\nCOMMIT\n";
        for (const family of ["iptables", "ip6tables"]) {
          const [outer, ...args] = namespace.enter(
            ...inImage(`/usr/sbin/${family}-${backend}-restore`, "--noflush"),
          );
          execFileSync(outer, args, { env: environment("init", LOCK), input: document });
        }
        run(NODE, program("init"));
        for (const family of ["iptables", "ip6tables"]) {
          const saved = run(`/usr/sbin/${family}-${backend}-save`);
          assert.match(saved, /-j REDIRECT --to-ports 15001/);
          assert.match(saved, /-A THEIRS -m comment --comment theirs? -j RETURN/);
        }
      } finally {
        await namespace.close();
      }
    });
});

/** As init does where the root cannot be written. */
const LOCK = { XTABLES_LOCKFILE: "/proc/self/ns/net" };

interface Serving {
  readonly stream: "stdout" | "stderr";
  readonly message: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}
