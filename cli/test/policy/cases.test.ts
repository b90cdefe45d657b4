import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parse } from "yaml";
import { Bed, boundary, RULES, SERVICES } from "./bed.ts";

const bed = new Bed();
after(() => bed.close());
bed.file("rules/web.yaml", RULES);
const HEAD = "rules: [../rules]\npod: { namespace: shop, labels: { app: web } }\n";

let number = 0;
const cases = (text: string) => bed.file(`cases/${++number}.yaml`, text);
const verify = (text: string, ...args: string[]) => bed.run(["test", ...args, cases(text)]);

test("cases that hold: exit status 0, a line each, rules found relative to the file", async () => {
  const { status, stdout, stderr } =
    await verify(`${HEAD}answers: { api.example.com: [93.184.215.14] }
cases:
  - name: the API is reachable
    connect: api.example.com:443
    expect: allow
    reason: allowed.rule
    rule: shop/web
  - connect: 169.254.169.254:8000
    expect: deny
    reason: denied.no_rule
`);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(stdout, "✓ the API is reachable\n✓ deny 169.254.169.254:8000\n\n2 cases hold\n");
});

for (const [what, line, status] of [
  [
    "a name said at an address where it does not lead",
    "{connect: 203.0.113.9:443, says: api.example.com, answers: {api.example.com: [93.184.215.14]}, expect: allow}",
    0,
  ],
  [
    "no name said",
    "{connect: api.example.com:443, says: null, expect: deny, reason: denied.name_missing}",
    0,
  ],
  [
    "another protocol",
    "{connect: api.example.com:443, protocol: http, expect: deny, reason: denied.protocol}",
    0,
  ],
  [
    "a name that leads inside",
    "{connect: api.example.com:443, answers: {API.example.com.: [10.0.0.1]}, expect: deny, reason: denied.private_address}",
    0,
  ],
  ["a URL", "{url: 'https://api.example.com/v1', expect: allow, rule: shop/web}", 0],
  ["a URL in the clear", "{url: 'http://plain.example.com:8080', expect: allow}", 0],
  [
    "a URL in the clear, for which TLS is spoken",
    "{url: 'http://originated.example.com', expect: allow}",
    0,
  ],
  [
    "a URL whose scheme another protocol overrules",
    "{url: 'https://api.example.com', protocol: http, expect: deny, reason: denied.protocol}",
    0,
  ],
  ["a URL that is refused", "{url: 'http://api.example.com', expect: allow}", 1],
  ["another pod", "{connect: api.example.com:443, pod: {namespace: blog}, expect: deny}", 0],
  ["another verdict", "{connect: api.example.com:443, expect: deny}", 1],
  ["another reason", "{connect: evil.example.net:443, expect: deny, reason: denied.boundary}", 1],
  ["another rule", "{connect: api.example.com:443, expect: allow, rule: shop/other}", 1],
] as const)
  test(`a case of ${what}: exit status ${status}`, async () => {
    const ran = await verify(`${HEAD}cases:\n  - ${line}\n`);
    assert.equal(ran.status, status, ran.stdout + ran.stderr);
  });

test("a case that does not hold says what was expected, what is, where it stands, why, and the rule that mends it", async () => {
  const { status, stdout } = await verify(`${HEAD}cases:
  - connect: api.example.com:443
    expect: allow
  - name: the other API
    connect: other.example.com:443
    expect: allow
`);
  assert.equal(status, 1);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 2), ["✓ allow api.example.com:443", "✗ the other API"]);
  assert.equal(lines[2], "    expected allow, got other.example.com:443: deny (denied.no_rule)");
  assert.match(lines[3] ?? "", /^ {4}\S+\/cases\/\d+\.yaml:6$/);
  assert.match(stdout, /why +other\.example\.com:443 was refused: no rule permits it/);
  assert.match(stdout, /assuming +other\.example\.com resolves to a public address/);
  assert.match(stdout, /- hosts: \["other\.example\.com"\]/);
  assert.equal(lines.at(-2), "1 of 2 cases does not hold");
});

test("rules and boundaries may be written out; mode and cluster count", async () => {
  const inline = `rules:
  - ${RULES.trimEnd().replaceAll("\n", "\n    ")}
  - ${boundary("corp", "{deny: [{cidrs: [10.20.5.0/24], ports: [{port: 5432, protocol: tcp}]}]}").trimEnd().replaceAll("\n", "\n    ")}
pod: { namespace: shop }
cluster: { ranges: [10.96.0.0/12] }
mode: audit
cases:
  - { connect: 10.20.3.4:5432, expect: allow, rule: shop/web }
  - { connect: 10.20.5.4:5432, expect: deny, reason: denied.boundary, rule: corp }
  - { connect: 10.96.0.10:9, expect: allow, reason: allowed.cluster }
`;
  assert.equal((await verify(inline)).status, 0);
  const audited = `${HEAD}mode: audit\ncases: [{connect: 9.9.9.9:9, expect: allow, reason: allowed.audit}]\n`;
  assert.equal((await verify(audited)).status, 0);
});

test("a Service that leads out is judged by its endpoints, under its names too", async () => {
  const written = `rules:
  - ${RULES.trimEnd().replaceAll("\n", "\n    ")}
pod: { namespace: shop }
cluster:
  ranges: [10.96.0.0/12]
  leadingOut:
    - namespace: shop
      name: db
      addresses: [10.96.7.7]
      ports:
        - { port: 3306, endpoints: [{ address: 9.9.9.9, port: 5432 }, { address: 10.20.3.4, port: 5432 }] }
        - { port: 3307, endpoints: [{ address: 9.9.9.9, port: 9 }] }
cases:
  - { connect: 10.96.7.7:3306, expect: allow, rule: shop/web }
  - { connect: db:3306, expect: allow, rule: shop/web }
  - { connect: db.shop.svc.cluster.local:3307, expect: deny, reason: denied.no_rule }
  - { connect: 10.96.7.7:3308, expect: deny, reason: denied.no_rule }
  - { connect: 10.96.7.8:3308, expect: allow, reason: allowed.cluster }
`;
  const { status, stdout, stderr } = await verify(written);
  assert.equal(status, 0, stdout + stderr);
  const wrong = await verify(
    written.replace("db:3306, expect: allow, rule: shop/web", "db:3307, expect: allow"),
  );
  assert.match(
    wrong.stdout,
    /10\.96\.7\.7:3307 \(Service shop\/db, which leads outside the cluster to 9\.9\.9\.9:9\) was refused/,
  );
});

test("every mistake is told at once, with its line and path; also those of the rules", async () => {
  bed.file("broken/rules.yaml", RULES.replace("10.20.0.0/16", "10.20.0.0/8"));
  const { status, stdout, stderr } =
    await verify(`rules: [../broken/rules.yaml, gone.yaml, {kind: EgressRule}, 7]
pods: {}
answers: { "a b": [1.2.3.4], api.example.com: [1.2.3] }
cases:
  - connect: api.example.com
    expect: maybe
  - connect: api.example.com:443
    expect: allow
    reason: denied.no_rule
    says: a b
  - conect: x
  - { url: "https://u@api.example.com/", connect: "a.example:1", expect: deny }
  - { url: "https://api.example.com/", says: a.example, expect: deny }
  - { connect: "https://api.example.com/", expect: deny }
`);
  assert.deepEqual([status, stdout], [2, ""]);
  for (const part of [
    /rules\.yaml:10: EgressRule shop\/web: spec\.to\[2\]\.cidrs\[0\]: "10\.20\.0\.0\/8" has host bits set/,
    /yaml:1: rules\[1\]: cannot read \S+gone\.yaml/,
    /yaml:1: rules\[2\]: expected an apiVersion and a kind/,
    /yaml:1: rules\[3\]: expected a file's name or an EgressRule/,
    /yaml:2: pods: no such field; expected name, rules, pod, mode, cluster, answers, cases/,
    /yaml:3: answers\["a b"\]: it is no DNS name/,
    /yaml:3: answers\["api\.example\.com"\]\[0\]: "1\.2\.3" is no address/,
    /yaml:5: cases\[0\]\.connect: "api\.example\.com" is no destination: expected a port/,
    /yaml:6: cases\[0\]\.expect: .*"allow"\|"deny"/,
    /yaml:10: cases\[1\]\.says: "a b" is no DNS name/,
    /yaml:11: cases\[2\]\.conect: no such field; expected name, connect/,
    /yaml:11: cases\[2\]\.connect: it is missing: expected HOST:PORT, or a url/,
    /yaml:12: cases\[3\]\.url: a URL is taken without its user/,
    /yaml:12: cases\[3\]\.connect: a url is given, too/,
    /yaml:13: cases\[4\]\.says: a url gives its own name/,
    /yaml:14: cases\[5\]\.connect: .* it is a URL, which stands under url/,
    /yaml:11: cases\[2\]\.expect: it is missing: expected one of "allow"\|"deny"/,
  ])
    assert.match(stderr, part);
});

test("names of Services that stand for others: from their manifests, and from the file", async () => {
  bed.file("rules/services.yaml", SERVICES);
  const { status, stdout } = await verify(`${HEAD}
cluster:
  domain: corp.local
  externalNames: [{ namespace: blog, name: feed, externalName: api.example.com }]
cases:
  - { url: "https://api/", expect: allow }
  - { url: "https://api.shop.svc.corp.local/", expect: allow }
  - { url: "https://feed.blog/", expect: allow }
  - { url: "https://feed/", expect: deny }
  - { url: "https://api.shop/", answers: { api.example.com: [10.0.0.1] }, expect: deny, reason: denied.private_address }
`);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^✓ allow tls api:443\n/);
});

test("a reason that cannot go with the verdict is a mistake", async () => {
  const { status, stderr } = await verify(
    `${HEAD}cases: [{connect: a.example:1, expect: allow, reason: denied.no_rule}]\n`,
  );
  assert.equal(status, 2);
  assert.match(stderr, /cases\[0\]\.reason: denied\.no_rule is no reason to allow/);
});

for (const [what, text, said] of [
  ["no case", `${HEAD}cases: []\n`, /cases: there is nothing to test: add a case/],
  ["no rules", "cases: [{connect: a.example:1, expect: deny}]\n", /rules: it is missing/],
  [
    "rules without any object",
    "rules: ['.']\ncases: [{connect: a.example:1, expect: deny}]\n",
    /there is no EgressRule/,
  ],
  ["nothing at all", "# nothing\n", /there are no cases in it/],
  ["a manifest alone", RULES, /there are no cases in it/],
] as const)
  test(`${what} is an error, not a success`, async () => {
    const { status, stderr } = await verify(text);
    assert.equal(status, 2);
    assert.match(stderr, said);
  });

const MIXED = `${HEAD}name: "the <shop> & 'co'"
cases:
  - { name: "holds # always", connect: api.example.com:443, expect: allow }
  - { name: "ends \\a <]]>", connect: evil.example.net:443, expect: allow }
`;

test("-o tap is TAP 14: a plan, a line a case, and what is wrong as YAML", async () => {
  const { status, stdout } = await verify(MIXED, "-o", "tap");
  assert.equal(status, 1);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 3), ["TAP version 14", "1..2", "ok 1 - holds \\# always"]);
  assert.match(lines[3] ?? "", /^not ok 2 - /);
  assert.equal(lines[4], "  ---");
  const end = lines.indexOf("  ...");
  const { message, verdict, reason, details } = parse(lines.slice(5, end).join("\n"));
  assert.equal(message, "expected allow, got evil.example.net:443: deny (denied.no_rule)");
  assert.deepEqual([verdict, reason], ["deny", "denied.no_rule"]);
  assert.match(details, /kind: EgressRule/);
});

test("-o junit is well-formed XML whatever the names hold", async () => {
  const { status, stdout } = await verify(MIXED, "-o", "junit");
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="sallyport" tests="2" failures="1" errors="0">\n/,
  );
  assert.ok(
    stdout.includes(
      '<testsuite name="the &lt;shop&gt; &amp; &apos;co&apos;" tests="2" failures="1" errors="0">',
    ),
  );
  assert.ok(stdout.includes('name="ends \u{fffd} &lt;]]&gt;">'));
  assert.ok(
    stdout.includes(
      '<failure message="expected allow, got evil.example.net:443: deny (denied.no_rule)">',
    ),
  );
  assert.deepEqual(unescaped(stdout), []);
});

/** What XML would take for its own within texts and attributes. */
function unescaped(xml: string): string[] {
  const markup = /<\?xml [^<>]*\?>|<\/?[a-z]+(?: [a-z]+="[^"<]*")*\/?>/g;
  return [...xml.replaceAll(markup, "").matchAll(/[<>]|&(?!(?:amp|lt|gt|quot|apos);)/g)].map(
    String,
  );
}

test("-o json has every case", async () => {
  const { stdout } = await verify(MIXED, "-o", "json");
  const { passed, failed, cases: all } = JSON.parse(stdout);
  assert.deepEqual([passed, failed, all.length], [1, 1, 2]);
  assert.deepEqual(
    all.map(({ ok }: { ok: boolean }) => ok),
    [true, false],
  );
});

test("several files and documents are suites of their own; rules in the same folder are not taken for cases", async () => {
  bed.file("suite/rules.yaml", RULES);
  const one =
    "rules: [rules.yaml]\npod: {namespace: shop}\ncases: [{connect: api.example.com:443, expect: allow}]\n";
  bed.file("suite/a.yaml", `name: first\n${one}---\nname: second\n${one}`);
  bed.file("suite/b.yaml", one);
  const { status, stdout } = await bed.run(["test", `${bed.folder}/suite`]);
  assert.equal(status, 0);
  assert.match(stdout, /^first\n✓.*\n\nsecond\n✓.*\n\n\S+b\.yaml\n✓.*\n\n3 cases hold\n$/);
});

test("the program itself, from a shell: cases on standard input, a format that is none", async () => {
  const stdin =
    "rules: [rules/web.yaml]\npod: {namespace: shop}\ncases: [{connect: api.example.com:443, expect: allow}]\n";
  const { status, stdout, stderr } = await bed.shell(["test", "-"], stdin);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /1 case holds$/m);
  const wrong = await bed.shell(["test", "-o", "xml"]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--output xml: expected text, tap, junit, json\n.*which cases\?/);
  const unknown = await bed.shell(["test", "--nonsense"]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /^sallyport test: Unknown option '--nonsense'/);
});
