import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Bed } from "./clients/bed.ts";
import { CURL, curl } from "./clients/http-curl.ts";
import { Origin, valuesOf } from "./clients/http-origin.ts";
import { assertRequests } from "./clients/http-records.ts";
import { payload, sha256 } from "./clients/payload.ts";
import { lacking } from "./clients/programs.ts";

/** curl in all its ways, where each of its requests is judged by its Host. */
const WEB = "93.184.216.10";
const bed = await Bed.open(
  { after },
  {
    rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] }] },
    zone: { "*.example.com": { A: [WEB] } },
  },
);
const origin = await Origin.start(bed);
const file = (name: string) => join(bed.folder, name);
const body = payload().subarray(0, 300_000);
writeFileSync(file("body"), body);
writeFileSync(file("larger"), payload());

describe("curl", { skip: lacking("curl") }, () => {
  for (const [version, option] of [
    ["1.0", "--http1.0"],
    ["1.1", "--http1.1"],
  ] as const)
    test(`gets a page by HTTP/${version}`, async () => {
      const name = `http-${version.replace(".", "-")}.example.com`;
      const { status, body, exit } = await curl(bed, option, `http://${name}/a?secret=1`);
      assert.deepEqual([exit, status, body], [0, 200, `GET /a of ${name}\n`]);
      await assertRequests(bed, name, ["GET /a 200"]);
    });

  test("gets what is sent in chunks also by HTTP/1.0, which has none", async () => {
    const name = "chunks-1-0.example.com";
    const chunks = "7\r\nfirst, \r\n7\r\nsecond\n\r\n0\r\n\r\n";
    const say = encodeURIComponent(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
    );
    const url = `http://${name}/raw?say=${say}&then=end`;
    const { status, headers, body, exit } = await curl(bed, "--http1.0", url);
    assert.deepEqual([exit, status, body], [0, 200, "first, second\n"]);
    assert.equal(headers.get("transfer-encoding"), undefined);
    await assertRequests(bed, name, ["GET /raw 200"]);
  });

  test("gets the fields that follow a body in chunks", async () => {
    const name = "trailers.example.com";
    const { stdout } = await bed.run([
      ...[...CURL, "--dump-header", "-", "--output", "/dev/null", `http://${name}/trailers`],
    ]);
    assert.match(stdout, /\r\n\r\nx-checksum: 42\r\n/);
    await assertRequests(bed, name, ["GET /trailers 200"]);
  });

  test("makes one connection for three requests, and so does the sidecar", async () => {
    const name = "keep-alive.example.com";
    const url = `http://${name}`;
    const { stdout } = await bed.run([
      ...[...CURL, "--write-out", "%{num_connects}\\n", `${url}/a`, "--next", ...CURL.slice(1)],
      ...["--write-out", "%{num_connects}\\n", "--head", `${url}/b`, "--next", ...CURL.slice(1)],
      ...["--write-out", "%{num_connects}\\n", "--data", "x=1", `${url}/c`],
    ]);
    assert.match(stdout, /^GET \/a of .*\n1\nHTTP\/1\.1 200 OK.*\r\n0\nPOST \/c of .*\n0\n$/s);
    await assertRequests(bed, name, ["GET /a 200", "HEAD /b 200", "POST /c 200"]);
    const connections = origin.arrivedAt(name).map(({ connection }) => connection);
    assert.deepEqual(new Set(connections).size, 1, "the upstream is pinned to the app");
  });

  test("asks for a head, and gets the length of what it does not get", async () => {
    const name = "head.example.com";
    const { status, headers, body } = await curl(bed, "--head", `http://${name}/bytes?count=12345`);
    assert.deepEqual([status, headers.get("content-length"), body], [200, "12345", ""]);
    await assertRequests(bed, name, ["HEAD /bytes 200"]);
  });

  test("sends its body once it is told to continue", async () => {
    const name = "continue.example.com";
    const { stdout, stderr } = await bed.run([
      ...[...CURL, "--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "10"],
      ...["--data-binary", `@${file("body")}`, `http://${name}/hash`],
    ]);
    assert.equal(stdout, `${body.length} ${sha256(body)} ${body.length}\n`);
    assert.match(stderr, /^< HTTP\/1\.1 100 Continue/m);
    await assertRequests(bed, name, ["POST /hash 200"]);
  });

  test("sends no body where it is told that none is wanted", async () => {
    const name = "unwanted.example.com";
    const { status, body: said } = await curl(
      bed,
      ...["--header", "Expect: 100-continue", "--expect100-timeout", "10"],
      ...["--data-binary", `@${file("body")}`, `http://${name}/unwanted`],
    );
    assert.equal(status, 417);
    assert.match(said, /^not wanted\n/);
    const [record] = await bed.recordsOf(name);
    assert.equal(record?.status, 417);
  });

  test("uploads in chunks, of a length that nobody knows before", async () => {
    const name = "chunked.example.com";
    const args = [...CURL, "--upload-file", "-", `http://${name}/hash`];
    const { stdout, stderr } = await bed.run(args, { input: body });
    assert.equal(stdout, `${body.length} ${sha256(body)} chunked\n`, stderr);
    await assertRequests(bed, name, ["PUT /hash 200"]);
  });

  test("resumes a download in the middle", async () => {
    const name = "resume.example.com";
    writeFileSync(join(bed.folder, "half"), body.subarray(0, 100_000));
    await bed.run(["mkdir", "-p", file("files")]);
    writeFileSync(file("files/whole"), body);
    const { status, stderr } = await bed.run([
      ...[...CURL, "--continue-at", "-", "--output", file("half"), `http://${name}/files/whole`],
    ]);
    assert.equal(status, 0, stderr);
    assert.equal(sha256(readFileSync(file("half"))), sha256(body));
    await assertRequests(bed, name, ["GET /files/whole 206"]);
  });

  test("hears an interim response before the final one", async () => {
    const name = "hints.example.com";
    const { stdout } = await bed.run([...CURL, "--include", `http://${name}/hints`]);
    assert.match(
      stdout,
      /^HTTP\/1\.1 103 .*link: <\/style\.css>.*\r\n\r\nHTTP\/1\.1 200 .*hinted\n$/is,
    );
    await assertRequests(bed, name, ["GET /hints 200"]);
  });

  for (const [then, larger, options] of [
    ["reads on", file("larger"), {}],
    // One is more than the kernel's buffers hold, so that it is under way when the answer comes.
    [
      "closes",
      process.execPath,
      { todo: "node:net closes where a write fails, and what came before is lost" },
    ],
  ] as const)
    test(
      `gets an answer that comes before its body has been read, by a server that then ${then}`,
      options,
      async () => {
        const name = `${then.replace(" ", "-")}.example.com`;
        const url = `http://${name}/early${then === "closes" ? "?close" : ""}`;
        for (let round = 0; round < 5; round++) {
          const upload = ["--header", "Expect:", "--data-binary", `@${larger}`, url];
          const { status, body: said } = await curl(bed, ...upload);
          assert.deepEqual([status, said], [413, "too large\n"]);
        }
        for (const { status } of await bed.recordsOf(name, 5)) assert.equal(status, 413);
      },
    );

  for (const method of ["DELETE", "OPTIONS", "PATCH", "PROPFIND", "GET"])
    test(`sends a body with ${method}`, async () => {
      const name = `${method.toLowerCase()}.example.com`;
      const { body: said } = await curl(bed, "-X", method, "--data", "abc", `http://${name}/hash`);
      assert.equal(said, `3 ${sha256(Buffer.from("abc"))} 3\n`);
      await assertRequests(bed, name, [`${method} /hash 200`]);
    });

  test("names the host twice, in its target too: where both agree, the origin gets a path", async () => {
    const name = "absolute.example.com";
    const url = `http://${name}/`;
    const { body: said } = await curl(bed, "--request-target", `http://${name}/there?x=1`, url);
    assert.equal(said, `GET /there of ${name}\n`);
    assert.equal(origin.arrivedAt(name)[0]?.target, "/there?x=1");
    const { status, headers } = await curl(
      bed,
      "--request-target",
      "http://else.example.com/",
      url,
    );
    assert.deepEqual([status, headers.get("x-sallyport-reason")], [400, "denied.malformed"]);
    assert.equal(origin.arrivedAt(name).length, 1);
  });

  test("speaks HTTP/2 without asking: it is refused in HTTP/2, which says that HTTP/1.1 is wanted", async () => {
    const name = "h2.example.com";
    const { status, stderr } = await bed.run([
      ...[...CURL, "--verbose", "--http2-prior-knowledge", `http://${name}/`],
    ]);
    // CURLE_HTTP2, and RFC 9113 §7: HTTP_1_1_REQUIRED is 13.
    assert.equal(status, 16);
    assert.match(stderr, /GOAWAY, error=13/);
    const [record] = await bed.recordsWhere(({ protocol }) => protocol === "http2");
    assert.equal(record?.verdict, "deny");
    assert.equal(origin.arrivedAt(name).length, 0);
  });

  test("offers to go on in HTTP/2: the offer is not passed on, and it gets its page in HTTP/1.1", async () => {
    const name = "h2c.example.com";
    const { status, body: said } = await curl(bed, "--http2", `http://${name}/`);
    assert.deepEqual([status, said], [200, `GET / of ${name}\n`]);
    const [arrived] = origin.arrivedAt(name);
    assert.ok(arrived);
    for (const field of ["upgrade", "http2-settings"])
      assert.deepEqual(valuesOf(arrived, field), [], field);
    await assertRequests(bed, name, ["GET / 200"]);
  });
});

test("what tells of a trace is passed on as it was", { skip: lacking("curl") }, async () => {
  const name = "trace.example.com";
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const tracestate = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";
  await curl(
    bed,
    ...["--header", `traceparent: ${traceparent}`, "--header", `tracestate: ${tracestate}`],
    `http://${name}/`,
  );
  const [arrived] = origin.arrivedAt(name);
  assert.ok(arrived);
  assert.deepEqual(
    [valuesOf(arrived, "traceparent"), valuesOf(arrived, "tracestate")],
    [[traceparent], [tracestate]],
  );
});

test("no destination can answer as if it were the sidecar", { skip: lacking("curl") }, async () => {
  const { status, headers, body: said } = await curl(bed, "http://forged.example.com/forged");
  assert.deepEqual([status, said], [200, "genuine\n"]);
  assert.deepEqual(
    [...headers.keys()].filter((name) => name.startsWith("x-sallyport")),
    [],
  );
});
