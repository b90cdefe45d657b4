import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Bed } from "./clients/bed.ts";
import type { Ended } from "./clients/ended.ts";
import { CURL, curl } from "./clients/http-curl.ts";
import { Origin } from "./clients/http-origin.ts";
import { assertRequests } from "./clients/http-records.ts";
import { payload, sha256 } from "./clients/payload.ts";
import { lacking } from "./clients/programs.ts";

/** Bodies larger than memory, and apps and destinations that are slow, break off or never end. */
const WEB = "93.184.216.10";
const bed = await Bed.open(
  { after },
  {
    rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] }] },
    zone: { "*.example.com": { A: [WEB] } },
    settings: { waits: { unfinishedMs: 1_000 } },
  },
);
const origin = await Origin.start(bed);

const GIGABYTE = 1_000_000_000;
/** Of the origin's stream, which `openssl enc -aes-128-ctr` makes of zeros. */
const GIGABYTE_SHA256 = "4cd64681817c469ec7f8f51ad0e085d8fef7487c90f5cf12d70ebaa155272c08";
const GENERATE = `openssl enc -aes-128-ctr -K ${"07".repeat(16)} -iv ${"00".repeat(16)} -in /dev/zero`;

/** How much larger the sidecar's memory has become meanwhile, at most, in MB. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const { sidecar } = bed.egress;
  const before = sidecar.usage().rssMb;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, sidecar.usage().rssMb);
  }, 50);
  await work.finally(() => clearInterval(timer));
  return most - before;
}

/** A shell script in the pod. */
const script = (text: string, timeoutMs = 60_000): Promise<Ended> =>
  bed.run(["bash", "-o", "pipefail", "-c", text], { timeoutMs });

/** Beside what Node's heap does by itself. */
const GROWTH_MB = 60;

test("a gigabyte comes down whole, through a sidecar that does not grow", {
  skip: lacking("curl"),
}, async () => {
  const name = "download.example.com";
  const url = `http://${name}/bytes?count=${GIGABYTE}`;
  const download = script(`curl --silent --show-error --fail '${url}' | sha256sum`);
  const growth = await growthDuring(download);
  const { stdout, stderr } = await download;
  assert.equal(stdout, `${GIGABYTE_SHA256}  -\n`, stderr);
  const [record] = await assertRequests(bed, name, ["GET /bytes 200"]);
  assert.ok((record?.bytes_received ?? 0) >= GIGABYTE);
  assert.ok(growth < GROWTH_MB, `it grew by ${growth} MB`);
});

test("a gigabyte goes up whole, in chunks, through a sidecar that does not grow", {
  skip: lacking("curl", "openssl"),
}, async () => {
  const name = "upload.example.com";
  const upload = script(
    `head -c ${GIGABYTE} < <(${GENERATE}) | curl --silent --show-error --fail --upload-file - http://${name}/hash`,
  );
  const growth = await growthDuring(upload);
  const { stdout, stderr } = await upload;
  assert.equal(stdout, `${GIGABYTE} ${GIGABYTE_SHA256} chunked\n`, stderr);
  const [record] = await assertRequests(bed, name, ["PUT /hash 200"]);
  assert.ok((record?.bytes_sent ?? 0) >= GIGABYTE);
  assert.ok(growth < GROWTH_MB, `it grew by ${growth} MB`);
});

test("twenty downloads at once, some of them slow, are each whole: nobody's bytes are another's", {
  skip: lacking("curl"),
}, async () => {
  const name = "many.example.com";
  const lengths = Array.from({ length: 20 }, (_, i) => 4_000_000 + i * 100_001);
  const downloads = lengths.map((length, i) => {
    const rate = i % 2 === 0 ? "--limit-rate 3M" : "";
    return script(`curl -sS ${rate} 'http://${name}/bytes?count=${length}' | sha256sum`);
  });
  for (const [i, { stdout, stderr }] of (await Promise.all(downloads)).entries())
    assert.equal(stdout, `${sha256(payload().subarray(0, lengths[i]))}  -\n`, stderr);
  await bed.recordsOf(name, lengths.length);
});

test("an app that does not read holds up its destination, and not the sidecar's memory", {
  skip: lacking("curl"),
}, async () => {
  const name = "slow.example.com";
  const url = `http://${name}/bytes?count=${GIGABYTE}`;
  const argv = [...CURL, "--limit-rate", "1M", "--max-time", "3", "--output", "/dev/null", url];
  const slow = Promise.all(Array.from({ length: 10 }, () => bed.run(argv)));
  const growth = await growthDuring(slow);
  for (const { status } of await slow) assert.equal(status, 28);
  assert.ok(growth < GROWTH_MB, `it grew by ${growth} MB`);
  for (const { bytes_received, closed_by } of await bed.recordsOf(name, 10)) {
    // What has filled the kernel's buffers, of which the app's may be of 32 MB (tcp_rmem).
    assert.ok(bytes_received < GIGABYTE / 10, String(bytes_received));
    assert.equal(closed_by, "app");
  }
});

const CUT = [
  "content-length: 1000\r\n\r\n0123456789",
  "transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n",
];
for (const fields of CUT)
  for (const then of ["end", "reset"])
    test(`a response with ${fields.slice(0, fields.indexOf(":"))} that breaks off with ${then} is an error to the app`, {
      skip: lacking("curl"),
    }, async () => {
      const name = `${fields[0]}-${then}.example.com`;
      const say = encodeURIComponent(`HTTP/1.1 200 OK\r\n${fields}`);
      const { status, exit } = await curl(bed, `http://${name}/raw?say=${say}&then=${then}`);
      assert.equal(status, 200);
      // CURLE_PARTIAL_FILE or CURLE_RECV_ERROR; 0 would be a whole response.
      assert.ok(exit === 18 || exit === 56, `curl ended with ${exit}`);
      const [record] = await bed.recordsOf(name);
      assert.deepEqual([record?.status, record?.closed_by], [200, "upstream"]);
      assert.match(record?.reason ?? "", /^failed\.(response|reset)$/);
    });

test("a response without a length ends with its connection, and is whole", {
  skip: lacking("curl"),
}, async () => {
  const name = "no-length.example.com";
  const say = encodeURIComponent("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it\n");
  const { status, headers, body, exit } = await curl(bed, `http://${name}/raw?say=${say}&then=end`);
  assert.deepEqual([exit, status, body], [0, 200, "all of it\n"]);
  assert.equal(headers.get("connection"), "close");
  await assertRequests(bed, name, ["GET /raw 200"]);
});

test("a response without a length that is reset is an error to the app", {
  skip: lacking("curl"),
}, async () => {
  const name = "no-length-reset.example.com";
  const say = encodeURIComponent("HTTP/1.1 200 OK\r\n\r\npart of it\n");
  const { exit } = await curl(bed, `http://${name}/raw?say=${say}&then=reset`);
  assert.equal(exit, 56);
  const [record] = await bed.recordsOf(name);
  assert.deepEqual([record?.reason, record?.closed_by], ["failed.reset", "upstream"]);
});

test("apps that say a request byte by byte are told that it took too long, while others are served", {
  skip: lacking("curl"),
}, async () => {
  const { egress } = bed;
  const name = "slowloris.example.com";
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\nX-Slow: `);
  const say = [head, ...Array.from({ length: 100 }, () => Buffer.from("a"))];
  const call = { address: WEB, port: 80, say, gapMs: 100, enough: 100_000 };
  const slow = Promise.all(Array.from({ length: 100 }, () => egress.app.call(call)));
  const started = performance.now();
  const { status } = await curl(bed, "http://quick.example.com/");
  assert.equal(status, 200);
  assert.ok(performance.now() - started < 5_000);
  for (const { text } of await slow)
    assert.match(text, /^HTTP\/1\.1 408 .*x-sallyport-reason: denied\.malformed\r\n/s);
  assert.equal(origin.arrivedAt(name).length, 0);
});

test("the same on a connection that has been served: its next request must come whole in time", async () => {
  const { egress } = bed;
  const name = "second.example.com";
  const request = `GET / HTTP/1.1\r\nHost: ${name}\r\n`;
  const say = [Buffer.from(`${request}\r\n${request}`)];
  const { text } = await egress.app.call({ address: WEB, port: 80, say, enough: 100_000 });
  assert.match(text, /^HTTP\/1\.1 200 .*HTTP\/1\.1 408 /s);
  assert.equal(origin.arrivedAt(name).length, 1);
});

test("a hundred requests said at once are answered one after the other, each recorded", async () => {
  const name = "pipelined.example.com";
  const requests = Array.from(
    { length: 100 },
    (_, i) =>
      `GET /${i} HTTP/1.1\r\nHost: ${name}\r\n${i === 99 ? "Connection: close\r\n" : ""}\r\n`,
  );
  const say = [Buffer.from(requests.join(""))];
  const { text } = await bed.egress.app.call({ address: WEB, port: 80, say, enough: 1_000_000 });
  assert.deepEqual(
    [...text.matchAll(/GET \/(\d+) of/g)].map(([, i]) => Number(i)),
    requests.map((_, i) => i),
  );
  await assertRequests(
    bed,
    name,
    requests.map((_, i) => `GET /${i} 200`),
  );
});
