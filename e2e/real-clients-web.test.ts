import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Bed, verdictOf } from "./clients/bed.ts";
import { payload, sha256 } from "./clients/payload.ts";
import { lacking, type Program } from "./clients/programs.ts";
import { startGrpc, startWeb } from "./clients/servers.ts";

/** What web clients do on any day, through one wildcard for TLS and one name for HTTP. */
const WEB = "93.184.216.10";
const bed = await Bed.open(
  { after },
  {
    rules: {
      web: [
        { hosts: ["*.example.com"], ports: [{ port: 443, endPort: 444, protocol: "tls" }] },
        { hosts: ["plain.example.com"], ports: [{ port: 80, protocol: "http" }] },
        { hosts: ["www.example.net"], ports: [{ port: 443, protocol: "https" }] },
      ],
    },
    zone: {
      "*.example.com": { A: [WEB] },
      "alias.example.com": { CNAME: "www.example.net" },
      "www.example.net": { A: [WEB] },
    },
  },
);
const repositories = await startWeb(bed);
const file = (name: string) => join(bed.folder, name);
const source = (name: string) => join(import.meta.dirname, "clients", name);

/** That the connections under this name, and there is one at least, were allowed by it. */
async function assertAllowed(name: string): Promise<void> {
  for (const record of await bed.recordsOf(name))
    assert.equal(
      verdictOf(record),
      `allowed.rule by shop/web, *.example.com:443-444, for ${name} of sni`,
    );
}

const CURL = [
  ...["curl", "--silent", "--show-error", "--fail", "--max-time", "15"],
  ...["--cacert", bed.authority],
];
const OLD = ["--ciphers", "DEFAULT:@SECLEVEL=0"];

for (const [tls, version, ...options] of [
  ["TLSv1", "1.0", "--tlsv1.0", ...OLD],
  ["TLSv1.1", "1.1", "--tlsv1.1", ...OLD],
  ["TLSv1.2", "1.2"],
  ["TLSv1.3", "1.3"],
] as const)
  for (const [http, option] of [
    ["HTTP/1.1", "--http1.1"],
    ["HTTP/2.0", "--http2"],
  ] as const)
    test(`curl gets a page by ${http} over ${tls}`, { skip: lacking("curl") }, async () => {
      const name = `curl-${tls}-${http}.example.com`.toLowerCase().replaceAll(/[/.](?=\d)/g, "-");
      const url = `https://${name}/`;
      const ended = await bed.run([...CURL, "--tls-max", version, option, ...options, url]);
      const stdout = `${http} over ${tls} as ${name}\n`;
      assert.deepEqual(ended, { status: 0, stdout, stderr: "" });
      await assertAllowed(name);
    });

interface Getter {
  readonly client: string;
  readonly needs?: readonly Program[];
  argv(url: string): string[];
  readonly env?: Readonly<Record<string, string>>;
}

const GETTERS: readonly Getter[] = [
  {
    client: "wget",
    needs: ["wget"],
    argv: (url) => ["wget", "-qO-", "--tries=1", `--ca-certificate=${bed.authority}`, url],
  },
  {
    client: "Node's fetch",
    argv: (url) => [process.execPath, source("fetch.ts"), url],
    env: { NODE_EXTRA_CA_CERTS: bed.authority },
  },
  {
    client: "Python's urllib",
    needs: ["python3"],
    argv: (url) => ["/usr/bin/python3", source("fetch.py"), url, bed.authority],
  },
  {
    client: "Java's HttpClient",
    needs: ["javac"],
    argv: (url) => ["java", "-XX:TieredStopAtLevel=1", source("Fetch.java"), url, bed.authority],
  },
];
for (const { client, needs = [], argv, env = {} } of GETTERS)
  test(`${client} gets a page`, { skip: lacking(...needs) }, async () => {
    const name = `${client.replaceAll(/\W/g, "-").toLowerCase()}.example.com`;
    const { status, stdout, stderr } = await bed.run(argv(`https://${name}/`), { env });
    assert.match(stdout, new RegExp(`HTTP/(1.1|2.0) over TLSv1.3 as ${name}\n`), stderr);
    assert.equal(status, 0, stderr);
    await assertAllowed(name);
  });

test("openssl s_client completes a handshake, and another by the session of the first", {
  skip: lacking("openssl"),
}, async () => {
  const name = "openssl.example.com";
  const session = file("session.pem");
  const connect = (...options: string[]) =>
    bed.run(
      [
        ...["openssl", "s_client", "-connect", `${name}:443`, "-CAfile", bed.authority],
        ...["-verify_return_error", "-verify_hostname", name, ...options],
      ],
      { input: `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n` },
    );
  for (const [option, expected] of [
    ["-sess_out", /^New, TLSv1\.3/m],
    ["-sess_in", /^Reused, TLSv1\.3/m],
  ] as const) {
    const { status, stdout, stderr } = await connect("-ign_eof", option, session);
    assert.equal(status, 0, stderr);
    assert.match(stdout, expected);
    assert.match(stdout, /^HTTP\/1\.1 over TLSv1\.3/m);
  }
  await bed.recordsOf(name, 2);
  await assertAllowed(name);
});

test("curl downloads 20 MB, and every byte is there", { skip: lacking("curl") }, async () => {
  const name = "download.example.com";
  const { status, stderr } = await bed.run([
    ...[...CURL, "--output", file("downloaded"), `https://${name}/download`],
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(sha256(readFileSync(file("downloaded"))), sha256(payload()));
  await assertAllowed(name);
});

test("curl uploads 20 MB, and every byte is there", { skip: lacking("curl") }, async () => {
  const name = "upload.example.com";
  writeFileSync(file("upload"), payload());
  const { stdout, stderr } = await bed.run([
    ...[...CURL, "--upload-file", file("upload"), `https://${name}/`],
  ]);
  assert.equal(stdout, `${payload().length} bytes ${sha256(payload())}\n`, stderr);
  await assertAllowed(name);
});

test("git clones over HTTPS, commits and pushes, and a second clone has it", {
  skip: lacking("git"),
}, async () => {
  const name = "git.example.com";
  const url = `https://${name}/git/app.git`;
  mkdirSync(repositories, { recursive: true });
  const git = async (...args: string[]) => {
    const env = {
      GIT_SSL_CAINFO: bed.authority,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "app",
      GIT_AUTHOR_EMAIL: "app@example.com",
      GIT_COMMITTER_NAME: "app",
      GIT_COMMITTER_EMAIL: "app@example.com",
    };
    const { status, stdout, stderr } = await bed.run(["git", ...args], { env });
    assert.equal(status, 0, `git ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  await git("init", "--bare", "--quiet", "-b", "main", join(repositories, "app.git"));
  await git("clone", "--quiet", url, file("first"));
  // More than fits into one packet, and not to be compressed.
  writeFileSync(file("first/data"), payload().subarray(0, 3_000_000));
  await git("-C", file("first"), "add", "data");
  await git("-C", file("first"), "commit", "--quiet", "-m", "data");
  await git("-C", file("first"), "push", "--quiet", "origin", "HEAD:main");
  await git("clone", "--quiet", url, file("second"));
  assert.equal(sha256(readFileSync(file("second/data"))), sha256(payload().subarray(0, 3_000_000)));
  await assertAllowed(name);
});

test("gRPC calls, one of them with a stream of answers, over TLS", {
  skip: lacking("python3", "/usr/lib/python3/dist-packages/grpc"),
}, async () => {
  await startGrpc(bed, 444);
  const name = "grpc.example.com";
  const { status, stdout, stderr } = await bed.run([
    ...["/usr/bin/python3", source("grpc_client.py"), `${name}:444`, bed.authority],
  ]);
  assert.deepEqual([status, stdout], [0, "hello you 1000\n"], stderr);
  await assertAllowed(name);
});

test("curl gets a page in the clear, by the Host of its request", {
  skip: lacking("curl"),
}, async () => {
  const name = "plain.example.com";
  const { stdout, stderr } = await bed.run([...CURL, `http://${name}/path?query`]);
  assert.equal(stdout, `HTTP/1.1 as ${name}\n`, stderr);
  const [record] = await bed.recordsOf(name);
  assert.equal(
    verdictOf(record),
    `allowed.rule by shop/web, plain.example.com:80, for ${name} of host`,
  );
  assert.deepEqual([record?.method, record?.path], ["GET", "/path"]);
});

test("curl gets a page of a name that is an alias of another, by the name it asked for", {
  skip: lacking("curl"),
}, async () => {
  const name = "alias.example.com";
  const { stdout, stderr } = await bed.run([...CURL, "--http1.1", `https://${name}/`]);
  assert.equal(stdout, `HTTP/1.1 over TLSv1.3 as ${name}\n`, stderr);
  await assertAllowed(name);
});

test("curl speaks TLS itself where a rule says https: it is passed through", {
  skip: lacking("curl"),
}, async () => {
  const name = "www.example.net";
  const { stdout, stderr } = await bed.run([...CURL, "--http1.1", `https://${name}/`]);
  assert.equal(stdout, `HTTP/1.1 over TLSv1.3 as ${name}\n`, stderr);
  assert.equal(
    verdictOf((await bed.recordsOf(name))[0]),
    `allowed.rule by shop/web, ${name}:443, for ${name} of sni`,
  );
});

test("of all these connections none was refused, and none failed", () => {
  assert.deepEqual(
    bed.records.filter(({ reason }) => reason !== "allowed.rule"),
    [],
  );
});
