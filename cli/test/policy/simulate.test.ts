import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Bed, boundary, RULES } from "./bed.ts";

const bed = new Bed();
after(() => bed.close());
const rules = bed.file("rules.yaml", RULES);

let minute = 0;
/** A line of the access log, as a sidecar in audit mode writes it. */
function record(fields: object): string {
  const at = { address: "93.184.215.14", port: 443 };
  return JSON.stringify({
    time: `2026-01-01T00:${String(minute++ % 60).padStart(2, "0")}:00.000Z`,
    ...{
      pod: "web-1",
      namespace: "shop",
      connection: 1,
      verdict: "allow",
      reason: "allowed.audit",
    },
    ...{ original_address: at.address, original_port: at.port, bytes_sent: 1, bytes_received: 2 },
    ...{ duration_ms: 3, closed_by: "app", closed_how: "end" },
    ...fields,
  });
}
const tls = (name: string, fields: object = {}) =>
  record({ protocol: "tls", name, name_source: "sni", resolved: ["93.184.215.14"], ...fields });
const tcp = (address: string, port: number, fields: object = {}) =>
  record({ protocol: "opaque", original_address: address, original_port: port, ...fields });
/** Of one request, where HTTP was judged request by request. */
const request = (number: number, fields: object) =>
  record({
    ...{ request: number, protocol: "http", name_source: "host", method: "GET", path: "/" },
    ...{ status: 200, original_port: 8080, resolved: ["93.184.215.14"], ...fields },
  });
const simulate = (lines: readonly string[], ...args: string[]) =>
  bed.run(["simulate", "-f", rules, ...args], lines.join("\n"));
const judged = async (lines: readonly string[], ...args: string[]) => {
  const { status, stdout, stderr } = await simulate(lines, "-o", "json", ...args);
  assert.equal(stderr, "");
  const {
    newly_refused: refused,
    newly_allowed: allowed,
    unknown,
    unchanged,
    ...rest
  } = JSON.parse(stdout);
  const counts = [refused, allowed, unknown, unchanged].map(
    ({ connections, requests }) => connections + requests,
  );
  return { status, counts, refused, allowed, unknown, unchanged, ...rest };
};

for (const [what, line, counts] of [
  ["an allowed name", tls("api.example.com"), [0, 0, 0, 1]],
  [
    "a Service that led to an address which a rule permits",
    tcp("10.96.7.7", 3306, {
      ...{ reason: "allowed.rule", service: "shop/db", service_endpoints: ["10.20.3.4:5432"] },
    }),
    [0, 0, 0, 1],
  ],
  [
    "a Service that led elsewhere, in audit mode",
    tcp("10.96.7.7", 3306, { service: "shop/db", service_endpoints: ["9.9.9.9:5432"] }),
    [1, 0, 0, 0],
  ],
  [
    "a Service that led to where the name does that the app gave",
    record({
      ...{ protocol: "tls", name: "api.example.com", name_source: "sni" },
      ...{ original_address: "10.96.7.7", service: "shop/db", service_endpoints: ["9.9.9.9:443"] },
    }),
    [0, 0, 0, 1],
  ],
  ["a name that no rule has", tls("evil.example.net"), [1, 0, 0, 0]],
  ["a name that nobody resolved", tls("api.example.com", { resolved: undefined }), [0, 0, 0, 1]],
  [
    "a name that led inside",
    tls("api.example.com", { resolved: ["10.0.0.1"], original_address: "10.0.0.1" }),
    [1, 0, 0, 0],
  ],
  [
    "a name that was a lie, and is dialled where it leads",
    tls("api.example.com", { original_address: "203.0.113.9" }),
    [0, 0, 0, 1],
  ],
  ["a name that can be none", record({ protocol: "tls", invalid_name: "1.2.3.4" }), [1, 0, 0, 0]],
  ["a database by address", tcp("10.20.3.4", 5432), [0, 0, 0, 1]],
  [
    "a database by name",
    tcp("93.184.215.20", 5432, {
      name: "db.example.com",
      name_source: "dns",
      resolved: ["93.184.215.20"],
    }),
    [0, 0, 0, 1],
  ],
  [
    "an address that was refused, and is allowed now",
    tcp("10.20.3.4", 5432, { verdict: "deny", reason: "denied.no_rule" }),
    [0, 1, 0, 0],
  ],
  [
    "one that was refused, and is",
    tls("evil.example.net", { verdict: "deny", reason: "denied.no_rule" }),
    [0, 0, 0, 1],
  ],
  [
    "one that failed after it was allowed",
    tls("api.example.com", { reason: "failed.connect_refused" }),
    [0, 0, 0, 1],
  ],
  [
    "one in the cluster, which no rule has to name",
    tcp("10.96.0.10", 53, { reason: "allowed.cluster" }),
    [0, 0, 0, 1],
  ],
  [
    "one that nobody looked at, where a name decides now",
    record({ reason: "allowed.rule" }),
    [0, 0, 1, 0],
  ],
  [
    "a request to a Service that stood for an allowed name",
    request(1, { name: "plain", external_name: "plain.example.com" }),
    [0, 0, 0, 1],
  ],
  [
    "a request to a Service that stood for another",
    request(2, { name: "plain.example.com", external_name: "evil.example.net" }),
    [1, 0, 0, 0],
  ],
  [
    "a request for which TLS was spoken",
    request(1, { name: "originated.example.com", original_port: 80, originated: true }),
    [0, 0, 0, 1],
  ],
  [
    "a request that the destination never answered",
    request(1, { name: "plain.example.com", reason: "failed.response_timeout", status: 504 }),
    [0, 0, 0, 1],
  ],
  [
    "a request that was refused, and is allowed now",
    request(3, {
      verdict: "deny",
      reason: "denied.no_rule",
      status: 403,
      name: "plain.example.com",
    }),
    [0, 1, 0, 0],
  ],
  ["one of another namespace", tls("api.example.com", { namespace: "blog" }), [1, 0, 0, 0]],
] as const)
  test(`a record of ${what}: refused, allowed, unknown, unchanged = ${counts}`, async () => {
    const { status, counts: got } = await judged([line]);
    assert.deepEqual(got, counts);
    assert.equal(status, counts[0] + counts[2] > 0 ? 1 : 0);
  });

test("lines that are no records are skipped and counted, and so are records that tell of no judgement", async () => {
  const { status, counts, skipped_lines, unjudged_records } = await judged([
    "starting up",
    '{"level":"info"}',
    "{broken",
    "",
    `[pod/web-1/sallyport-proxy] ${tls("api.example.com")}`,
    `2026-01-01T00:00:00Z stdout F ${tls("api.example.com")}`,
    tcp("10.0.0.1", 15001, { verdict: "deny", reason: "denied.loop" }),
    tcp("10.0.0.1", 80, { verdict: "deny", reason: "denied.limit" }),
    request(1, { verdict: "deny", reason: "denied.too_large", status: 431, name: undefined }),
  ]);
  assert.deepEqual([status, counts, skipped_lines, unjudged_records], [0, [0, 0, 0, 2], 3, 3]);
});

test("connections that go the same way are one group: how many, first and last, why", async () => {
  const lines = [1, 2, 3].map((i) =>
    tls("evil.example.net", { time: `2026-01-0${4 - i}T00:00:00.000Z` }),
  );
  const { refused } = await judged([...lines, tls("other.example.net")]);
  assert.equal(refused.groups.length, 2);
  const [{ destination, connections, first_seen, last_seen, was, reason, message }] =
    refused.groups;
  assert.deepEqual(
    [destination, connections, first_seen, last_seen, was, reason],
    [
      "evil.example.net:443",
      3,
      "2026-01-01T00:00:00.000Z",
      "2026-01-03T00:00:00.000Z",
      "allowed.audit",
      "denied.no_rule",
    ],
  );
  assert.match(message, /no rule permits it/);
});

test("requests and connections are counted apart, and a Service's requests by what it stood for", async () => {
  const lines = [
    ...[1, 2, 3].map((i) => request(i, { name: "feed.blog", external_name: "evil.example.net" })),
    request(4, { name: "evil.example.net" }),
    tls("evil.example.net"),
    tls("api.example.com"),
    request(5, { name: "plain.example.com" }),
  ];
  const { refused, unchanged } = await judged(lines);
  assert.deepEqual(
    [refused.connections, refused.requests, unchanged.connections, unchanged.requests],
    [1, 4, 1, 1],
  );
  assert.deepEqual(
    refused.groups.map(({ destination, connections, requests }: Group) => [
      ...[destination, connections, requests],
    ]),
    [
      ["evil.example.net:8080", 0, 4],
      ["evil.example.net:443", 1, 0],
    ],
  );
  assert.deepEqual(refused.groups[0].egress_rule.spec.to, [
    { hosts: ["evil.example.net"], ports: [{ port: 8080, protocol: "http" }] },
  ]);
  const { stdout } = await simulate(lines);
  assert.match(stdout, /^2 connections and 5 requests judged again\n {2}newly refused +5\n/);
  assert.match(stdout, /✗ shop: evil\.example\.net:8080 \(http\), 4 requests, /);
});

interface Group {
  readonly destination: string;
  readonly connections: number;
  readonly requests: number;
}

const REFUSED = [
  tls("evil.example.net"),
  tls("other.example.net"),
  record({
    protocol: "http",
    name: "evil.example.net",
    name_source: "host",
    original_port: 80,
    resolved: ["93.184.215.14"],
  }),
  tls("vault.example.net", { resolved: ["10.0.0.1"], original_address: "10.0.0.1" }),
  tls("vault.example.net", { resolved: ["10.0.0.2"], original_address: "10.0.0.2" }),
  tcp("10.9.9.9", 6379),
  tcp("10.9.9.8", 6379),
  tcp("2606:2800::1", 6379),
  tls("blog.example.net", { namespace: "blog" }),
];

test("--suggest writes for each namespace one rule, and with it nothing is refused any more", async () => {
  const { status, stdout, stderr } = await simulate(REFUSED, "--suggest");
  assert.equal(status, 1);
  assert.match(stderr, /newly refused +9\n/);
  assert.match(
    stdout,
    /metadata: \{ name: allow-recorded, namespace: shop \}\n[\s\S]*\n---\n[\s\S]*namespace: blog \}\n/,
  );
  assert.match(
    stdout,
    /hosts: \["evil\.example\.net", "other\.example\.net"\]\n +ports: \[\{ port: 443, protocol: tls \}\]/,
  );
  assert.match(
    stdout,
    /hosts: \["vault\.example\.net"\]\n +cidrs: \["10\.0\.0\.1\/32", "10\.0\.0\.2\/32"\]/,
  );
  const suggested = bed.file("suggested.yaml", stdout);
  const { status: after, counts } = await judged(REFUSED, "-f", suggested);
  assert.deepEqual([after, counts], [0, [0, 0, 0, 9]]);
});

test("what no rule would keep open is said beside the suggestion", async () => {
  const corp = bed.file(
    "corp.yaml",
    boundary("corp", "{deny: [{hosts: [evil.example.net], ports: [{port: 443, protocol: tls}]}]}"),
  );
  const { status, stdout, stderr } = await simulate(REFUSED.slice(0, 2), "--suggest", "-f", corp);
  assert.equal(status, 1);
  assert.doesNotMatch(stdout, /evil/);
  assert.match(stderr, /What these rules do not keep open:\n {2}shop: evil\.example\.net:443\n/);
});

test("a boundary that says audit lets it pass, which is counted; --enforce judges as if it did not", async () => {
  const audit = bed.file("audit.yaml", boundary("watch", "{mode: audit}"));
  const lenient = await judged([tls("evil.example.net")], "-f", audit);
  assert.deepEqual(
    [lenient.status, lenient.counts, lenient.audited.connections],
    [0, [0, 0, 0, 1], 1],
  );
  const strict = await judged([tls("evil.example.net")], "-f", audit, "--enforce");
  assert.deepEqual([strict.status, strict.counts], [1, [1, 0, 0, 0]]);
});

test("labels, namespace and answers may be given for what records do not hold", async () => {
  const labelled = bed.file(
    "labelled.yaml",
    RULES.replace("spec:\n", "spec:\n  selector: { matchLabels: { app: web } }\n"),
  );
  const run = async (line: string, ...args: string[]) =>
    (await bed.run(["simulate", "-f", labelled, ...args], line)).status;
  assert.equal(await run(tls("api.example.com")), 1);
  assert.equal(await run(tls("api.example.com"), "-l", "app=web"), 0);
  assert.equal(
    await run(tls("api.example.com", { namespace: "blog" }), "-l", "app=web", "-n", "shop"),
    0,
  );
  const database = tcp("93.184.215.20", 5432);
  assert.equal(await run(database, "-l", "app=web"), 1);
  assert.equal(await run(database, "-l", "app=web", "--answer", "db.example.com=93.184.215.20"), 0);
  const { stdout } = await bed.run(["simulate", "-f", labelled], tls("api.example.com"));
  assert.match(
    stdout,
    /not applied, as they are for pods of other labels \(see --labels\): shop\/web \(app=web\)/,
  );
});

test("for a person: counts, then what would be refused, not told, allowed, with rule and nearest rule", async () => {
  const { stdout } = await simulate([
    tls("googleapis.com"),
    tcp("10.20.3.4", 5432, { verdict: "deny", reason: "denied.no_rule" }),
    record({ reason: "allowed.rule" }),
  ]);
  assert.match(
    stdout,
    /^3 connections judged again\n {2}newly refused +1\n {2}newly allowed +1\n {2}not to be told +1\n {2}unchanged +0\n/,
  );
  assert.match(
    stdout,
    /✗ shop: googleapis\.com:443 \(tls\), 1 connection, 2026\S+\n {4}was +allowed\.audit\n {4}now +denied\.no_rule\n {4}why[\s\S]*nearest shop\/web spec\.to\[0\]: \*\.googleapis\.com/,
  );
  assert.match(stdout, /\? shop: 93\.184\.215\.14:443, 1 connection/);
  assert.match(
    stdout,
    /✓ shop: 10\.20\.3\.4:5432 \(opaque\)[\s\S]*now +allowed\.rule\n {4}by +shop\/web spec\.to\[2\]/,
  );
});

test("no records at all is an error: a log of something else proves nothing", async () => {
  const { status, stdout, stderr } = await simulate(["hello", "world"]);
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /there are no records in it \(2 lines of something else\)/);
});

test("the program itself, from a shell: records in files and through a pipe, and what is wrong with the arguments", async () => {
  bed.file("one.log", `${tls("api.example.com")}\n`);
  bed.file("two.log", `${tls("evil.example.net")}\n`);
  const files = await bed.shell(["simulate", "-f", "rules.yaml", "one.log", "two.log"]);
  assert.equal(files.status, 1);
  assert.match(files.stdout, /^2 connections judged again/);
  const piped = await bed.shell(["simulate", "-f", "rules.yaml"], tls("api.example.com"));
  assert.deepEqual([piped.status, piped.stderr], [0, ""]);
  for (const [args, said] of [
    [["-f", "-"], /standard input cannot hold both/],
    [[], /which rules\?/],
    [["-f", "rules.yaml", "gone.log"], /cannot read gone\.log: there is no such file/],
    [["-f", "rules.yaml", "."], /cannot read \.: /],
  ] as const) {
    const { status, stdout, stderr } = await bed.shell(["simulate", ...args], "");
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^\s+at /m);
  }
});
