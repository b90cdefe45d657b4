import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Bed } from "./clients/bed.ts";
import type { NodeAnswer, NodeRequest } from "./clients/http-node.ts";
import { Origin, valuesOf } from "./clients/http-origin.ts";
import { assertRequests, lineOf } from "./clients/http-records.ts";
import { payload, sha256 } from "./clients/payload.ts";
import { lacking } from "./clients/programs.ts";

/** What programs and libraries do over HTTP on any day, each request judged by its Host. */
const WEB = "93.184.216.10";
const bed = await Bed.open(
  { after },
  {
    rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] }] },
    zone: { "*.example.com": { A: [WEB] }, "www.partner.net": { A: [WEB] } },
  },
);
const origin = await Origin.start(bed);
const file = (name: string) => join(bed.folder, name);
const source = (name: string) => join(import.meta.dirname, "clients", name);
const hash = (text: string) => sha256(Buffer.from(text));

/** What a client says, a line each; it must end well. */
async function linesOf(argv: readonly string[]): Promise<readonly string[]> {
  const { status, stdout, stderr } = await bed.run(argv);
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split("\n");
}

async function asked(requests: readonly NodeRequest[]): Promise<readonly NodeAnswer[]> {
  const lines = await linesOf([process.execPath, source("http-node.ts"), JSON.stringify(requests)]);
  return lines.map((line) => JSON.parse(line));
}

test("wget downloads a file, and another over the same connection", {
  skip: lacking("wget"),
}, async () => {
  const name = "wget.example.com";
  const url = `http://${name}`;
  const { status, stderr } = await bed.run([
    ...["wget", "--tries=1", "--quiet", "--output-document", file("wget")],
    ...[`${url}/bytes?count=300000`, `${url}/last`],
  ]);
  assert.equal(status, 0, stderr);
  const last = `GET /last of ${name}\n`;
  const expected = Buffer.concat([payload().subarray(0, 300_000), Buffer.from(last)]);
  assert.equal(sha256(readFileSync(file("wget"))), sha256(expected));
  await assertRequests(bed, name, ["GET /bytes 200", "GET /last 200"]);
});

test("Node's http agent keeps one connection for all that it asks, trailers both ways", async () => {
  const name = "agent.example.com";
  const url = `http://${name}`;
  const answers = await asked([
    { url: `${url}/one` },
    { url: `${url}/hash`, method: "POST", body: "abc", trailers: { "x-sum": "1" } },
    { url: `${url}/trailers` },
    { url: `${url}/bytes?count=10`, method: "HEAD" },
    { url: `${url}/last` },
  ]);
  assert.deepEqual(
    answers.map(({ status, isReused }) => [status, isReused]),
    [[200, false], ...Array.from({ length: 4 }, () => [200, true])],
  );
  assert.equal(answers[1]?.body, `3 ${hash("abc")} chunked x-sum=1\n`);
  assert.deepEqual(answers[2]?.trailers, { "x-checksum": "42" });
  await assertRequests(bed, name, [
    ...["GET /one 200", "POST /hash 200", "GET /trailers 200", "HEAD /bytes 200", "GET /last 200"],
  ]);
});

test("one connection may go to one allowed host and then to another; what is refused there is refused", async () => {
  const [first, second, refused] = ["first.example.com", "second.example.com", "www.partner.net"];
  const to = (host: string) => ({ url: `http://${first}/`, headers: { host } });
  const answers = await asked([to(first), to(second), to(first), to(refused)]);
  assert.deepEqual(
    answers
      .map(({ status, body, isReused }) => [status, body.split("\n")[0], isReused])
      .slice(0, 3),
    [
      [200, `GET / of ${first}`, false],
      [200, `GET / of ${second}`, true],
      [200, `GET / of ${first}`, true],
    ],
  );
  assert.deepEqual([answers[3]?.status, answers[3]?.isReused], [403, true]);
  const records = [
    ...(await bed.recordsOf(first, 2)),
    ...(await bed.recordsOf(second)),
    ...(await bed.recordsOf(refused)),
  ].toSorted((a, b) => (a.request ?? 0) - (b.request ?? 0));
  assert.equal(new Set(records.map(({ connection }) => connection)).size, 1);
  assert.deepEqual(
    records.map(({ request, name, reason, status }) => [request, name, reason, status]),
    [
      [1, first, "allowed.rule", 200],
      [2, second, "allowed.rule", 200],
      [3, first, "allowed.rule", 200],
      [4, refused, "denied.no_rule", 403],
    ],
  );
  assert.equal(origin.arrivedAt(refused).length, 0);
});

test("Node's fetch gets, posts, streams, and breaks off what it has no use for", async () => {
  const name = "fetch.example.com";
  assert.deepEqual(await linesOf([process.execPath, source("http-fetch.ts"), name]), [
    `GET /one of ${name}`,
    `POST /two of ${name}`,
    `6 ${hash("abcdef")} chunked`,
    `GET /after of ${name}`,
  ]);
  const records = await bed.recordsOf(name, 5);
  assert.deepEqual(records.map(lineOf).toSorted(), [
    ...["GET /after 200", "GET /bytes 200", "GET /one 200", "POST /hash 200", "POST /two 200"],
  ]);
  const broken = records.find(({ path }) => path === "/bytes");
  assert.deepEqual([broken?.closed_by, broken?.reason], ["app", "allowed.rule"]);
  assert.notEqual(broken?.closed_how, "end");
});

test("Python's requests and http.client get, post, stream, and keep their connections", {
  skip: lacking("python3", "/usr/lib/python3/dist-packages/requests"),
}, async () => {
  const name = "requests.example.com";
  assert.deepEqual(await linesOf(["/usr/bin/python3", source("http_requests.py"), name]), [
    `GET /one of ${name}`,
    `3 ${hash("abc")} 3`,
    `3 ${hash("abc")} chunked`,
    "300000",
    "200 ",
    `200 GET /two of ${name}`,
  ]);
  await assertRequests(
    bed,
    name,
    ["GET /one 200", "POST /hash 200", "POST /hash 200", "GET /bytes 200"],
    ["HEAD /two 200", "GET /two 200"],
  );
});

test("Python's urllib gets a page", { skip: lacking("python3") }, async () => {
  const name = "urllib.example.com";
  const argv = ["/usr/bin/python3", source("fetch.py"), `http://${name}/a`, bed.authority];
  assert.deepEqual(await linesOf(argv), [`200 GET /a of ${name}`]);
  await assertRequests(bed, name, ["GET /a 200"]);
});

test("Java's HttpClient, which offers to go on in HTTP/2, gets a page in HTTP/1.1", {
  skip: lacking("javac"),
}, async () => {
  const name = "java.example.com";
  const argv = ["java", "-XX:TieredStopAtLevel=1", source("Fetch.java")];
  const lines = await linesOf([...argv, `http://${name}/a`, bed.authority]);
  assert.deepEqual(lines, [`200 GET /a of ${name}`]);
  const [arrived] = origin.arrivedAt(name);
  assert.ok(arrived);
  assert.deepEqual([valuesOf(arrived, "upgrade"), valuesOf(arrived, "http2-settings")], [[], []]);
  await assertRequests(bed, name, ["GET /a 200"]);
});

test("git clones over HTTP, commits and pushes, and a second clone has it", {
  skip: lacking("git"),
}, async () => {
  const name = "git.example.com";
  const url = `http://${name}/git/app.git`;
  const data = payload().subarray(0, 3_000_000);
  const git = async (...args: string[]) => {
    const env = {
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "app",
      GIT_AUTHOR_EMAIL: "app@example.com",
      GIT_COMMITTER_NAME: "app",
      GIT_COMMITTER_EMAIL: "app@example.com",
    };
    const { status, stderr } = await bed.run(["git", ...args], { env });
    assert.equal(status, 0, `git ${args.join(" ")}: ${stderr}`);
  };
  await git("init", "--bare", "--quiet", "-b", "main", file("repositories/app.git"));
  await git("clone", "--quiet", url, file("first"));
  // More than git sends at once: it goes in chunks (http.postBuffer).
  writeFileSync(file("first/data"), data);
  await git("-C", file("first"), "add", "data");
  await git("-C", file("first"), "commit", "--quiet", "-m", "data");
  await git("-C", file("first"), "push", "--quiet", "origin", "HEAD:main");
  await git("clone", "--quiet", url, file("second"));
  assert.equal(sha256(readFileSync(file("second/data"))), sha256(data));
  const records = await bed.recordsOf(name, origin.arrivedAt(name).length);
  assert.equal(records.length, origin.arrivedAt(name).length);
  assert.ok(records.some((record) => lineOf(record) === "POST /git/app.git/git-receive-pack 200"));
  assert.ok(records.every(({ verdict }) => verdict === "allow"));
});

test("apt-get updates its lists and downloads packages, several requests at a time on one connection", {
  skip: lacking("apt-get", "dpkg-deb"),
}, async () => {
  const name = "apt.example.com";
  const packages = ["one", "two", "three"];
  const index = await Promise.all(packages.map(makePackage));
  writeFileSync(file("files/Packages"), index.join("\n"));
  writeFileSync(file("sources.list"), `deb [trusted=yes] http://${name}/files ./\n`);
  const state = file("apt");
  for (const folder of ["lists/partial", "cache/archives/partial", "etc", "log"])
    mkdirSync(join(state, folder), { recursive: true });
  writeFileSync(join(state, "status"), "");
  const apt = [
    "apt-get",
    ...Object.entries({
      "Dir::Etc": join(state, "etc"),
      "Dir::Etc::sourcelist": file("sources.list"),
      "Dir::State": state,
      "Dir::State::status": join(state, "status"),
      "Dir::Cache": join(state, "cache"),
      "Dir::Log": join(state, "log"),
      "APT::Sandbox::User": "root",
      "APT::Get::List-Cleanup": "false",
      "Acquire::Languages": "none",
    }).flatMap(([key, value]) => ["-o", `${key}=${value}`]),
  ];
  const update = await bed.run([...apt, "update"]);
  assert.equal(update.status, 0, update.stderr);
  const download = await bed.run([
    "sh",
    "-c",
    'cd "$0" && exec "$@"',
    state,
    ...apt,
    "download",
    ...packages,
  ]);
  assert.equal(download.status, 0, download.stderr);
  for (const each of packages)
    assert.deepEqual(
      readFileSync(join(state, `${each}_1.0_all.deb`)),
      readFileSync(file(`files/${each}_1.0_all.deb`)),
    );
  const arrived = origin.arrivedAt(name);
  const records = await bed.recordsOf(name, arrived.length);
  assert.equal(records.length, arrived.length);
  const debs = records.filter(({ path }) => path?.endsWith(".deb"));
  assert.deepEqual(debs.map(lineOf).toSorted(), [
    ...packages.map((each) => `GET /files/./${each}_1.0_all.deb 200`).toSorted(),
  ]);
  assert.equal(new Set(debs.map(({ connection }) => connection)).size, 1);
});

/** A package of half a megabyte below /files/, and what an index says of it. */
async function makePackage(name: string): Promise<string> {
  const tree = file(`package-${name}`);
  const control = [`Package: ${name}`, "Version: 1.0", "Architecture: all"];
  control.push("Maintainer: app <app@example.com>", "Description: test");
  mkdirSync(join(tree, "DEBIAN"), { recursive: true });
  mkdirSync(file("files"), { recursive: true });
  writeFileSync(join(tree, "DEBIAN/control"), `${control.join("\n")}\n`);
  writeFileSync(join(tree, "data"), payload().subarray(0, 500_000));
  const deb = `${name}_1.0_all.deb`;
  const { status, stderr } = await bed.run([
    ...["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, file(`files/${deb}`)],
  ]);
  assert.equal(status, 0, stderr);
  const bytes = readFileSync(file(`files/${deb}`));
  return [
    ...control,
    `Filename: ./${deb}`,
    `Size: ${bytes.length}`,
    `SHA256: ${sha256(bytes)}`,
    "",
  ].join("\n");
}
