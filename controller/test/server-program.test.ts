import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { madeCertificate } from "../src/certificate-source.ts";
import { type Flags, Misuse, parseFlags } from "../src/flags.ts";
import { NAMES, POD, reviewOf, SERVICE } from "./server-bed.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");

interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly errors: () => string;
  /** The next line of the log with that message. */
  line(message: string): Promise<Record<string, unknown>>;
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

async function run(argsFor: (folder: string) => readonly string[]): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-controller-"));
  const child = spawn(process.execPath, [MAIN, ...argsFor(folder)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit").then(([code, signal]) => code ?? signal);
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk) => {
    errors += chunk;
  });
  const lines = createInterface(child.stdout ?? process.stdin)[Symbol.asyncIterator]();
  return {
    child,
    folder,
    ended,
    errors: () => errors,
    line: async (message) => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`it ended without saying "${message}": ${errors}`);
        const line = JSON.parse(value);
        if (line.message === message) return line;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function ask(port: unknown, ca: string, path: string, body?: unknown): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ host: "127.0.0.1", port: Number(port), path, ca, servername: SERVICE, agent: false },
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json" },
      },
      async (answer) => {
        const chunks = await answer.toArray();
        resolve([answer.statusCode ?? 0, Buffer.concat(chunks).toString()]);
      },
    );
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test("it says where it listens, with the CA written before, and admits; SIGTERM drains it and ends it with 0", async () => {
  await using program = await run((folder) => {
    writeFileSync(join(folder, "c.json"), '{"sidecar": "ordinary"}');
    return [
      ...["--port", "0", "--config", join(folder, "c.json")],
      ...["--ca-out", join(folder, "ca.crt"), "--shutdown-grace", "3"],
    ];
  });
  const { port, address } = await program.line("listening");
  assert.ok(Number(port) > 0 && typeof address === "string");
  const ca = readFileSync(join(program.folder, "ca.crt"), "utf8");
  const [status, text] = await ask(port, ca, "/mutate/pods", reviewOf(POD));
  assert.equal(status, 200);
  assert.equal(JSON.parse(text).response.patchType, "JSONPatch");
  assert.equal((await program.line("admission")).verdict, "changed");

  program.child.kill("SIGTERM");
  await program.line("SIGTERM: finishing; once more ends at once");
  assert.deepEqual(await ask(port, ca, "/readyz"), [503, "draining\n"]);
  assert.equal((await ask(port, ca, "/mutate/pods", reviewOf(POD)))[0], 200);
  assert.equal(await program.ended, 0);
  assert.equal(program.errors(), "");
});

test("a second signal ends it at once", async () => {
  await using program = await run(() => ["--port", "0", "--shutdown-grace", "600"]);
  await program.line("listening");
  program.child.kill("SIGTERM");
  await program.line("SIGTERM: finishing; once more ends at once");
  program.child.kill("SIGTERM");
  assert.equal(await program.ended, 1);
});

test("it serves with the files it is given", async () => {
  const { current, ca } = await madeCertificate(NAMES, Date.now());
  await using program = await run((folder) => {
    const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    writeFileSync(cert, current.certificate);
    writeFileSync(key, current.key);
    return ["--port", "0", "--tls-cert-file", cert, "--tls-key-file", key];
  });
  const { port } = await program.line("listening");
  assert.deepEqual(await ask(port, ca ?? "", "/readyz"), [200, "ok\n"]);
});

test("admission goes on when nobody reads the log any more", async () => {
  await using program = await run((folder) => ["--port", "0", "--ca-out", join(folder, "ca.crt")]);
  const { port } = await program.line("listening");
  const ca = readFileSync(join(program.folder, "ca.crt"), "utf8");
  program.child.stdout?.destroy();
  for (let i = 0; i < 5; i++) {
    assert.equal((await ask(port, ca, "/mutate/pods", reviewOf(POD)))[0], 200);
    await delay(1); // the broken pipe is heard of in a later turn of the loop
  }
});

test("a configuration with mistakes is told all of them, with their paths, and status 2", async () => {
  await using program = await run((folder) => {
    const config = { sidecar: "none", resolvers: ["dns"], images: { proxy: "" }, nonsense: 1 };
    writeFileSync(join(folder, "c.json"), JSON.stringify(config));
    return ["--port", "0", "--config", join(folder, "c.json")];
  });
  assert.equal(await program.ended, 2);
  const said = program.errors();
  for (const part of ["c.json", "sidecar", "resolvers[0]", "images.proxy", '"nonsense"'])
    assert.ok(said.includes(part), `${part} in ${said}`);
  assert.doesNotMatch(said, /\n\s+at .*:\d+:\d+/);
});

test("a file that is not there is one line: status 2 for the configuration, 1 for a certificate", async () => {
  await using config = await run(() => ["--config", "/nonexistent/c.json"]);
  assert.equal(await config.ended, 2);
  assert.match(config.errors(), /^cannot read the configuration: ENOENT.*\n$/);
  await using certificate = await run(() => [
    ...["--tls-cert-file", "/nonexistent/crt", "--tls-key-file", "/nonexistent/key"],
  ]);
  assert.equal(await certificate.ended, 1);
  assert.match(certificate.errors(), /^cannot read the serving certificate: ENOENT.*\n$/);
});

test("a port that is taken is one line and status 1", async () => {
  await using first = await run(() => ["--port", "0"]);
  const { port } = await first.line("listening");
  await using second = await run(() => ["--port", String(port)]);
  assert.equal(await second.ended, 1);
  assert.match(second.errors(), new RegExp(`^cannot listen on port ${port}: .*EADDRINUSE.*\n$`));
});

test("every option that is wrong is told, one line each", () => {
  const argv = [
    ...["--port", "65536", "--shutdown-grace", "1x", "--log-level", "loud", "--service", "a.b"],
    ...["--namespace", "A", "--cluster-domain", "x..y", "--tls-name", "a b", "--tls-name", "1.2.3"],
    ...["--tls-key-file", "k"],
  ];
  assert.throws(
    () => parseFlags(argv),
    (error: unknown) => {
      assert.ok(error instanceof Misuse);
      const lines = error.message.split("\n").map((line) => line.split(/[ :]/)[0]);
      assert.deepEqual(lines, [
        ...["--port", "--shutdown-grace", "--log-level", "--service", "--namespace"],
        ...["--cluster-domain", "--tls-name", "--tls-key-file"],
      ]);
      return true;
    },
  );
  assert.throws(() => parseFlags(["--prot", "1"]), /Unknown option '--prot'.*--help/);
  assert.throws(() => parseFlags(["extra"]), Misuse);
  assert.throws(
    () => parseFlags(["--port", "-1"]),
    /^Error: Option '--port'.*--help lists what there is$/,
  );
  assert.throws(
    () => parseFlags(["--ca-out", "a", "--tls-cert-file", "b", "--tls-key-file", "c"]),
    /^Error: --ca-out .* has another$/,
  );
});

test("what belongs together on a cluster is missed, and what is wrong is told", () => {
  const must = (argv: readonly string[], ...said: readonly RegExp[]) =>
    assert.throws(
      () => parseFlags(argv),
      (error: unknown) => {
        const lines = (error as Error).message.split("\n");
        assert.equal(lines.length, said.length, `${lines}`);
        said.forEach((each, index) => {
          assert.match(lines[index] ?? "", each);
        });
        return error instanceof Misuse;
      },
    );
  must(["--certificate-secret", "s"], /^--lease is missing/);
  must(["--webhooks", "w", "--lease", "l"], /^--webhooks goes with --certificate-secret/);
  const files = ["--tls-cert-file", "c", "--tls-key-file", "k"];
  must([...files, "--seal-secret", "s"], /^--lease is missing/);
  must(["--seal-secret", "s", "--lease", "l"], /^--seal-secret goes with --tls-cert-file/);
  must(
    ["--certificate-secret", "s", "--lease", "l", "--ca-out", "f"],
    /^--certificate-secret goes with neither/,
  );
  must(["--lease", "A"], /^--lease A: expected an object's name/);
  must(["--certificate-life", "1y"], /^--certificate-life 1y: expected a duration/);
  must(["--certificate-life", "0s"], /^--certificate-life: a third of it must be longer/);
  must(["--certificate-life", "16m"], /^--certificate-life: a third of it must be longer/);
  const { cluster } = parseFlags([
    "--webhooks",
    "w",
    "--lease",
    "l",
    "--certificate-secret",
    "s",
  ]) as Flags;
  assert.deepEqual(cluster, {
    ...{ certificateSecret: "s", webhooks: "w", lease: "l" },
    ...{ certificateLifeMs: 365 * 86_400_000, settlingMs: 30_000, overlapMs: 300_000 },
  });
});

test("rules in the configuration are refused where those on the cluster count: status 2, and what to do", async () => {
  await using program = await run((folder) => {
    const config = join(folder, "config.json");
    const spec = { to: [{ cidrs: ["192.0.2.0/24"], ports: [{ port: 443, protocol: "tls" }] }] };
    const rule = {
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
      ...{ metadata: { name: "a" }, spec },
    };
    writeFileSync(config, JSON.stringify({ policy: { rules: [rule] } }));
    return [
      ...["--config", config, "--kubeconfig", join(folder, "none"), "--policy-port", "0"],
      ...["--lease", "l", "--certificate-secret", "s"],
    ];
  });
  assert.equal(await program.ended, 2);
  assert.match(
    program.errors(),
    /config\.json says what nobody would read:\n {2}policy\.rules: .*kubectl apply/,
  );
});

test("without options it is as documented", () => {
  assert.deepEqual(parseFlags([]), {
    ...{ port: 8443, service: "sallyport", namespace: "sallyport-system" },
    ...{ clusterDomain: "cluster.local", tlsNames: [], shutdownGraceMs: 5_000, logLevel: "info" },
  });
  assert.deepEqual([parseFlags(["-h"]), parseFlags(["--version"])], ["help", "version"]);
});
