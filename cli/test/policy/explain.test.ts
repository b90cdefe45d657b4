import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Bed, boundary, RULES, SERVICES } from "./bed.ts";

const bed = new Bed();
after(() => bed.close());
const rules = bed.file("rules.yaml", RULES);
const explain = (...args: string[]) => bed.run(["explain", "-f", rules, ...args]);
const answer = (text: string) => ["--answer", text];

for (const [args, status, said] of [
  [
    ["api.example.com:443"],
    0,
    /is allowed \(allowed\.rule\)\n {2}by +shop\/web spec\.to\[0\]: api\.example\.com, port 443 \(tls\)/,
  ],
  [["API.Example.COM.:443"], 0, /✓ api\.example\.com:443 is allowed/],
  [["storage.googleapis.com:443"], 0, /shop\/web spec\.to\[0\]: \*\.googleapis\.com/],
  [
    ["googleapis.com:443"],
    1,
    /nearest +shop\/web spec\.to\[0\]: \*\.googleapis\.com holds the names below/,
  ],
  [["api.example.com:443", "--protocol", "http"], 1, /the app speaks HTTP/],
  [
    ["api.example.com:8443", "--protocol", "tls"],
    1,
    /it permits api\.example\.com on 443 \(tls\), not on 8443/,
  ],
  [["plain.example.com:8080"], 0, /assuming +the app speaks HTTP on 8080, with Host plain/],
  [
    ["db.example.com:5432"],
    0,
    /shop\/web spec\.to\[1\].*\n {2}dialled +what db\.example\.com resolves to/,
  ],
  [["10.20.3.4:5432"], 0, /spec\.to\[2\]: 10\.20\.0\.0\/16.*\n {2}dialled +10\.20\.3\.4/],
  [["[2606:2800::1]:443"], 1, /denied\.name_missing/],
  [["169.254.169.254:80"], 1, /✗ 169\.254\.169\.254:80 is refused/],
  [["api.example.com:443", ...answer("api.example.com=10.0.0.7")], 1, /denied\.private_address/],
  [
    ["api.example.com:443", ...answer("api.example.com=10.0.0.7,93.184.215.14")],
    0,
    /dialled +93\.184\.215\.14\n/,
  ],
  [["api.example.com:443", ...answer("api.example.com=")], 1, /failed\.dns/],
  [
    ["203.0.113.7:443", "--name", "api.example.com", ...answer("api.example.com=93.184.215.14")],
    0,
    /dialled +93\.184\.215\.14\n/,
  ],
  [
    ["originated.example.com:80"],
    0,
    /shop\/web spec\.to\[4\]: originated\.example\.com, port 80 \(https\)/,
  ],
  [
    ["originated.example.com:80"],
    0,
    /dialled +what originated\.example\.com resolves to, in TLS verified for originated\.example\.com\n/,
  ],
  [["https://api.example.com/v1/x?y=z"], 0, /✓ api\.example\.com:443 is allowed/],
  [["HTTPS://API.Example.com."], 0, /✓ api\.example\.com:443 is allowed/],
  [["wss://api.example.com/socket"], 0, /✓ api\.example\.com:443 is allowed/],
  [["http://plain.example.com:8080/"], 0, /shop\/web spec\.to\[3\]/],
  [["http://originated.example.com"], 0, /in TLS verified for originated/],
  [
    ["https://originated.example.com:80"],
    0,
    /dialled +what originated\.example\.com resolves to\n/,
  ],
  [["http://api.example.com/"], 1, /it permits api\.example\.com on 443 \(tls\), not on 80/],
  [["http://api.example.com:443/"], 1, /ports: \[\{ port: 443, protocol: https \}\]/],
  [
    ["https://api.example.com/", "--protocol", "http"],
    1,
    /ports: \[\{ port: 443, protocol: https \}\]/,
  ],
  [["10.96.0.1:443", "--cluster", "10.96.0.0/12"], 0, /allowed\.cluster/],
  [["evil.example.net:443", "-n", "other"], 1, /namespace: other/],
] as const)
  test(`${args.join(" ")}: exit status ${status}, ${said.source.slice(0, 40)}`, async () => {
    const ran = await explain(...args);
    assert.equal(ran.status, status, ran.stdout + ran.stderr);
    assert.match(ran.stdout, said);
    assert.equal(ran.stderr, "");
  });

for (const args of [
  ["evil.example.net:443"],
  ["evil.example.net:80"],
  ["cache.example.net:6379"],
  ["cache.corp.internal:6379", ...answer("cache.corp.internal=10.7.7.7")],
  ["db2.example.com:5432", ...answer("db2.example.com=10.3.3.3,10.3.3.4")],
  ["api.example.com:443", ...answer("api.example.com=10.0.0.7,fd00::7")],
  ["93.184.215.14:443"],
  ["[2606:2800::1]:9000"],
  ["[::ffff:10.1.2.3]:9000"],
  ["169.254.169.254:80"],
])
  test(`the rule offered for ${args[0]} is taken as it stands, and the same connection passes`, async () => {
    const refused = await explain(...args);
    assert.equal(refused.status, 1);
    const [, offered = ""] = refused.stdout.split("The rule to add:\n\n");
    assert.match(offered, /^apiVersion: sallyport\.dev\/v1alpha1\n/);
    const added = bed.file("added.yaml", offered);
    const ran = await explain("-f", added, ...args);
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  });

test("a host of which nothing is known is assumed to be public, and no made-up address is shown", async () => {
  for (const destination of [
    "api.example.com:443",
    "evil.example.net:443",
    "db2.example.com:5432",
  ]) {
    const { stdout } = await explain(destination);
    assert.match(stdout, /assuming +\S+ resolves to a public address/);
    assert.doesNotMatch(stdout, /\d+\.\d+\.\d+\.\d+/);
  }
});

test("what a boundary denies or does not allow is said, with the boundary's name and no rule that would not help", async () => {
  const deny = bed.file(
    "deny.yaml",
    boundary("corp", '{deny: [{hosts: ["*.example.com"], ports: [{port: 443, protocol: tls}]}]}'),
  );
  const denied = await explain("-f", deny, "api.example.com:443");
  assert.equal(denied.status, 1);
  assert.match(denied.stdout, /denied\.boundary/);
  assert.match(denied.stdout, /boundary corp denies it/);
  const ceiling = bed.file("ceiling.yaml", boundary("roof", "{allow: []}"));
  for (const destination of ["api.example.com:443", "evil.example.net:443"]) {
    const { status, stdout } = await explain("-f", ceiling, destination);
    assert.equal(status, 1);
    assert.match(stdout, /boundary roof/);
    assert.doesNotMatch(stdout, /The rule to add/);
  }
});

test("it is allowed only if it is at whichever of its addresses the app dials", async () => {
  const deny = bed.file(
    "one.yaml",
    boundary("one", "{deny: [{cidrs: [93.184.215.15], ports: [{port: 443, protocol: tcp}]}]}"),
  );
  const at = (addresses: string) =>
    explain("-f", deny, "api.example.com:443", ...answer(`api.example.com=${addresses}`));
  assert.equal((await at("93.184.215.14,93.184.215.16")).status, 0);
  const { status, stdout } = await at("93.184.215.14,93.184.215.15");
  assert.equal(status, 1);
  assert.match(stdout, /93\.184\.215\.15:443 was refused: a boundary denies it/);
});

test("in audit mode it passes, and is shown as it would be without", async () => {
  const audit = bed.file("audit.yaml", boundary("watch", "{mode: audit}"));
  const { status, stdout } = await explain("-f", audit, "evil.example.net:443");
  assert.equal(status, 0);
  assert.match(stdout, /passes, but only because a boundary says audit \(denied\.no_rule\)/);
  assert.match(stdout, /The rule to add/);
});

test("rules and boundaries that select others do not apply, and that is said where labels are not given", async () => {
  const labelled = bed.file(
    "labelled.yaml",
    RULES.replace("name: web", "name: jobs").replace(
      "spec:\n",
      "spec:\n  selector: { matchLabels: { app: jobs } }\n",
    ),
  );
  const asked = ["explain", "-f", labelled, "api.example.com:443"];
  const without = await bed.run(asked);
  assert.equal(without.status, 1);
  assert.match(without.stdout, /these do not apply \(see --labels\): shop\/jobs \(app=jobs\)/);
  assert.equal((await bed.run([...asked, "--labels", "app=jobs,x=y"])).status, 0);
  assert.equal((await bed.run([...asked, "--labels", "app=web"])).status, 1);
  const prod = bed.file(
    "prod.yaml",
    boundary("prod", "{namespaceSelector: {matchLabels: {env: prod}}, allow: []}"),
  );
  const named = bed.file(
    "named.yaml",
    boundary(
      "own",
      "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, allow: []}",
    ),
  );
  assert.equal((await explain("-f", prod, "api.example.com:443")).status, 0);
  assert.equal(
    (await explain("-f", prod, "--namespace-labels", "env=prod", "api.example.com:443")).status,
    1,
  );
  assert.equal((await explain("-f", named, "api.example.com:443")).status, 1);
});

test("-o json says the same in fields", async () => {
  const allowed = await explain("-o", "json", "api.example.com:443");
  const { verdict, reason, rule, entry, matched, protocol, dial } = JSON.parse(allowed.stdout);
  assert.deepEqual(
    { verdict, reason, rule, entry, matched, protocol, dial },
    {
      verdict: "allow",
      reason: "allowed.rule",
      rule: "shop/web",
      entry: 0,
      matched: "api.example.com",
      protocol: "tls",
      dial: undefined,
    },
  );
  const refused = await explain("-o", "json", "evil.example.net:443");
  const { egress_rule, destination } = JSON.parse(refused.stdout);
  assert.equal(refused.status, 1);
  assert.equal(destination, "evil.example.net:443");
  assert.deepEqual(egress_rule.spec.to, [
    { hosts: ["evil.example.net"], ports: [{ port: 443, protocol: "tls" }] },
  ]);
});

test("a rule that is offered does not bear the name of one that is there", async () => {
  const { stdout } = await explain("evil.example.net:443");
  const [, offered = ""] = stdout.split("The rule to add:\n\n");
  const taken = bed.file("taken.yaml", offered.replace('evil.example.net"', 'other.example.net"'));
  const again = await explain("-f", taken, "evil.example.net:443");
  assert.match(again.stdout, /name: allow-evil-example-net-443-2,/);
});

test("a destination that rules of several namespaces could be about asks for the namespace", async () => {
  const two = bed.file(
    "two.yaml",
    `${RULES}---\n${RULES.replace("namespace: shop", "namespace: blog")}`,
  );
  const { status, stderr } = await bed.run(["explain", "-f", two, "a.example.com:443"]);
  assert.equal(status, 2);
  assert.match(stderr, /several namespaces.*--namespace shop\|blog/);
});

test("every mistake in the arguments is told at once", async () => {
  const { status, stdout, stderr } = await bed.run([
    ...[
      "explain",
      "http://api.example.com/#top",
      "more",
      "--protocol",
      "udp",
      "-l",
      "x",
      "--answer",
      "a=b",
    ],
    ...["--cluster", "10.0.0.1/8", "--resolver", "dns", "-o", "xml", "--name", "a b"],
  ]);
  assert.deepEqual([status, stdout], [2, ""]);
  const lines = stderr.trimEnd().split("\n");
  for (const line of lines) assert.match(line, /^sallyport explain: /);
  for (const part of [
    "-f FILE",
    "leave out #top",
    "more",
    "udp",
    "key=value",
    "--answer a=b",
    "10.0.0.0/8",
    "--resolver dns",
    "text or json",
    "--name a b",
  ])
    assert.ok(
      lines.some((line) => line.includes(part)),
      `${part}\nin\n${stderr}`,
    );
});

for (const [destination, said] of [
  ["api.example.com", /expected a port/],
  ["api.example.com:0", /expected a port/],
  ["api.example.com:70000", /expected a port/],
  ["2606:2800::1:443", /in brackets/],
  ["[api.example.com]:443", /neither a DNS name nor an address/],
  ["-:443", /neither a DNS name nor an address/],
  ["1.2.3.256:443", /neither a DNS name nor an address/],
  ["", /expected a port/],
  ["ftp://api.example.com/", /expected http, https, ws, wss before/],
  ["https:///v1", /expected a name after the :\/\//],
  ["https://api.example.com:0/", /a port from 1 to 65535, or none for 443/],
  ["https://api.example.com:https/", /a port from 1 to 65535/],
  ["http://10.0.0.1/", /write 10\.0\.0\.1:80, and the protocol beside it/],
  ["http://[fd00::1]:8080/", /write \[fd00::1\]:8080,/],
  ["https://bücher.example/", /write it in A-labels: xn--bcher-kva\.example/],
  ["https://*.example.com/", /holds many names: write one of them/],
  ["https://api.example.com\\@evil.example/", /without its user and password/],
] as const)
  test(`"${destination}" is no destination, and it is said what is`, async () => {
    const { status, stderr } = await explain("--", destination);
    assert.equal(status, 2);
    assert.match(stderr, said);
  });

test("a password in a URL is not repeated", async () => {
  const { status, stdout, stderr } = await explain("https://me:s3cret@api.example.com/");
  assert.equal(status, 2);
  assert.match(stderr, /without its user and password/);
  assert.doesNotMatch(stdout + stderr, /s3cret|me:/);
});

test("a URL gives its own name", async () => {
  const { status, stderr } = await explain("https://api.example.com/", "--name", "b.example");
  assert.equal(status, 2);
  assert.match(stderr, /--name b\.example: a URL gives its own name/);
});

const services = bed.file("services.yaml", SERVICES);
for (const [args, status, said] of [
  [
    ["https://api/"],
    0,
    /✓ api:443 is allowed[\s\S]*alias +api stands for api\.example\.com\n[\s\S]*dialled +what api\.example\.com resolves to\n[\s\S]*assuming +api\.example\.com resolves to a public/,
  ],
  [
    ["https://api.shop.svc.cluster.local/"],
    0,
    /alias +api\.shop\.svc\.cluster\.local stands for api/,
  ],
  [["http://plain.shop:8080/"], 0, /spec\.to\[3\]: plain\.example\.com/],
  [
    ["http://api/"],
    1,
    /why +api, which stands for api\.example\.com, on port 80 was refused[\s\S]*hosts: \["api\.example\.com"\]\n +ports: \[\{ port: 80, protocol: http/,
  ],
  [
    ["http://api:443/"],
    1,
    /hosts: \["api\.example\.com"\]\n +ports: \[\{ port: 443, protocol: https/,
  ],
  [["https://api.blog/"], 1, /hosts: \["api\.blog"\]/],
  [["https://api/", ...answer("api.example.com=10.0.0.7")], 1, /it leads to 10\.0\.0\.7/],
  [["https://api/", ...answer("api.shop=10.0.0.7")], 0, /dialled/],
  [["https://api.shop/", ...answer("api.shop=93.184.215.14")], 0, /dialled +93\.184\.215\.14\n/],
  [["plain.shop:9000", "--protocol", "tcp"], 1, /hosts: \["plain\.example\.com"\]/],
] as const)
  test(`with Services that stand for names outside, ${args.join(" ")}: exit status ${status}`, async () => {
    const ran = await explain("-f", services, ...args);
    assert.equal(ran.status, status, ran.stdout + ran.stderr);
    assert.match(ran.stdout, said);
    assert.match(ran.stderr, /^skipped, .*: 1 Service\n$/);
    if (status === 0) return;
    const [, offered = ""] = ran.stdout.split("The rule to add:\n\n");
    const added = bed.file("alias.yaml", offered);
    const again = await explain("-f", services, "-f", added, ...args);
    assert.equal(again.status, 0, again.stdout);
  });

test("-o json tells what a name stands for, and that TLS is spoken for the app", async () => {
  const rule = bed.file(
    "httpbin.yaml",
    RULES.replace("port: 443, protocol: tls", "port: 443, protocol: https"),
  );
  const ran = await bed.run([
    "explain",
    "-f",
    rule,
    "-f",
    services,
    "-o",
    "json",
    "http://api:443/",
  ]);
  const { verdict, name, external_name, originated, protocol } = JSON.parse(ran.stdout);
  assert.deepEqual(
    { verdict, name, external_name, originated, protocol },
    {
      ...{ verdict: "allow", name: "api", external_name: "api.example.com" },
      ...{ originated: true, protocol: "http" },
    },
  );
});

test("a Service that is two is a mistake, and so is one without an external name", async () => {
  const two = bed.file(
    "twice.yaml",
    `${SERVICES}---\n${SERVICES.replace("externalName: plain.example.com, ", "")}`,
  );
  const { status, stderr } = await explain("-f", two, "https://api/");
  assert.equal(status, 2);
  assert.match(
    stderr,
    /twice\.yaml:\d+ \(document 4\): Service shop\/api: metadata\.name: it is at .+, too/,
  );
  assert.match(stderr, /Service plain: spec\.externalName: it is missing/);
});

test("--help goes to standard output and documents the exit status", async () => {
  for (const command of ["explain", "test", "simulate"]) {
    const { status, stdout, stderr } = await bed.run([command, "--help"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /Exit status: 0/);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 120, line);
  }
});
