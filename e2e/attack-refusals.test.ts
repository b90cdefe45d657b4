import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { EgressRule } from "@sallyport/core/rules";
import { lacking } from "./clients/programs.ts";
import { EgressPod, HOSTILE, OTHER, type Policy, REAL, ruleOf } from "./support/egress-pod.ts";
import { told } from "./support/told.ts";

/** How a refusal looks to the app, that what it offers is true, and that it tells nothing of others. */
const INSIDE = "10.50.0.1";
const http = [{ port: 80, protocol: "http" as const }];
const SECRET = /payments|secret/;
const policy = {
  rules: {
    web: [{ hosts: ["*.example.com"], ports: http }],
    tls: [{ hosts: ["api.example.org"], ports: [{ port: 8_080, protocol: "tls" }] }],
    range: [{ cidrs: [`${OTHER}/32`], ports: [{ port: 8_081, protocol: "tls" }] }],
  },
  boundaries: {
    platform: { deny: [{ hosts: ["*.denied.net"], ports: [{ port: 82, protocol: "http" }] }] },
  },
  more: [ruleOf("secret", [{ hosts: ["www.partner.net"], ports: http }], "payments")],
} satisfies Policy;

const bed = await EgressPod.open(
  { after },
  {
    policy,
    zone: {
      "*.example.com": { A: [REAL] },
      "inside.example.com": { A: [INSIDE] },
      "www.partner.net": { A: [REAL] },
      "api.example.org": { A: [REAL] },
      "www.denied.net": { A: [REAL] },
    },
    addresses: [INSIDE],
    listening: { http: [80, 8_080, 8_081] },
  },
);

interface Explained {
  readonly reason: string;
  readonly message: string;
  readonly destination: string;
  readonly name?: string;
  readonly nearest?: { readonly rule: string; readonly why: string };
  readonly egress_rule?: EgressRule;
  readonly advice?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const JSON_PLEASE = "Accept: application/json";

/** curl, told which address to dial. */
async function curl(host: string, port: number, address: string, ...args: string[]) {
  const accept = args.some((arg) => arg.startsWith("Accept:")) ? [] : ["-H", JSON_PLEASE];
  const text = await bed.sidecar.pod.run(
    ...["curl", "-s", "-i", "--max-time", "10", "--resolve", `${host}:${port}:${address}`],
    ...[...accept, ...args],
    `http://${host}:${port}/`,
  );
  const [headers = "", ...rest] = text.split("\r\n\r\n");
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1]);
  return { status, headers, body: rest.join("\r\n\r\n") } satisfies Answer;
}

function explainedIn({ status, headers, body }: Answer): Explained {
  assert.equal(status, 403, headers);
  assert.match(headers, /^content-type: application\/json$/m);
  const explained: Explained = JSON.parse(body);
  assert.ok(headers.includes(`\r\nx-sallyport-reason: ${explained.reason}`), headers);
  assert.doesNotMatch(body, SECRET);
  return explained;
}

interface Row {
  readonly what: string;
  /** What the app dials, and by which name. */
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly reason: string;
  readonly nearest?: string;
  /** Where it arrives once it is permitted. */
  readonly arrives: string;
}

const ROWS: readonly Row[] = [
  {
    what: "a name that no rule speaks of",
    ...{ host: "www.partner.net", port: 80, address: HOSTILE, arrives: REAL },
    reason: "denied.no_rule",
  },
  {
    what: "a name that leads inside",
    ...{ host: "inside.example.com", port: 80, address: HOSTILE, arrives: INSIDE },
    reason: "denied.private_address",
    nearest: "shop/web",
  },
  {
    what: "an address in place of a name",
    ...{ host: REAL, port: 80, address: REAL, arrives: REAL },
    reason: "denied.name_invalid",
  },
  {
    what: "another protocol than a rule's name has",
    ...{ host: "api.example.org", port: 8_080, address: HOSTILE, arrives: REAL },
    reason: "denied.protocol",
    nearest: "shop/tls",
  },
  {
    what: "another protocol than a rule's range has",
    ...{ host: "www.partner.net", port: 8_081, address: OTHER, arrives: REAL },
    reason: "denied.protocol",
    nearest: "shop/range",
  },
];

describe("an app that speaks HTTP is told why, and the rule that would permit it does", {
  skip: lacking("curl"),
}, () => {
  for (const { what, host, port, address, reason, nearest, arrives } of ROWS)
    test(what, async () => {
      const explained = explainedIn(await curl(host, port, address));
      assert.deepEqual(
        [explained.reason, explained.destination, explained.nearest?.rule],
        [reason, `${address}:${port}`, nearest],
      );
      const { egress_rule } = explained;
      assert.ok(egress_rule, JSON.stringify(explained));
      await bed.apply({ ...policy, more: [...policy.more, egress_rule] });
      const answer = await curl(host, port, address);
      await bed.apply(policy);
      assert.equal(answer.status, 200, answer.body);
      assert.match(answer.body, new RegExp(`^${arrives} ${host}(:${port})?\n$`));
    });

  test("a denial by a boundary names the boundary, and offers no rule", async () => {
    const { reason, message, egress_rule, advice } = explainedIn(
      await curl("www.denied.net", 82, REAL),
    );
    assert.equal(reason, "denied.boundary");
    assert.match(message, /boundary platform/);
    assert.equal(egress_rule, undefined);
    assert.match(advice ?? "", /only who keeps that boundary can change this/);
  });

  test("whatever is in the request: a Host that is made to break the answer does not", async () => {
    const host = 'Host: "},{\\"x\\":<script>';
    const answer = await curl("www.example.com", 80, REAL, "-H", host);
    // Of a head that cannot be read, nobody knows what it would accept.
    assert.deepEqual(
      [answer.status, answer.body.split("\n")[0]],
      [400, "sallyport: denied.malformed"],
    );
    assert.equal(answer.headers.split("\r\n").length, 6, answer.headers);
  });

  test("in text for people, and in JSON for who asks for it", async () => {
    const accept = ["-H", "Accept: text/html,*/*;q=0.8"];
    const { status, headers, body } = await curl("www.partner.net", 80, HOSTILE, ...accept);
    assert.deepEqual(
      [status, /^content-type: (.*)$/m.exec(headers)?.[1]],
      [403, "text/plain; charset=utf-8"],
    );
    assert.match(body, /^sallyport: denied\.no_rule\n\nwww\.partner\.net at /);
    assert.match(body, /^kind: EgressRule$/m);
  });

  test("also while it is still sending, and to HEAD without waiting for a body", async () => {
    const body = ["-X", "POST", "-H", "Expect:", "--data-binary", `@${process.execPath}`];
    assert.equal(
      explainedIn(await curl("www.partner.net", 80, REAL, ...body)).reason,
      "denied.no_rule",
    );
    assert.equal((await curl("www.partner.net", 80, REAL, "--head")).status, 403);
  });
});

test("an app that speaks TLS is told access_denied by an alert", {
  skip: lacking("openssl"),
}, async () => {
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const said = await bed.sidecar.pod.run(
      ...["sh", "-c", 'openssl s_client "$@" </dev/null 2>&1 || true', "sh"],
      ...["-connect", `${REAL}:443`, "-servername", "www.partner.net", version],
    );
    assert.match(said, /alert access denied.*SSL alert number 49/);
  }
});

test("an app that speaks anything else gets a reset", async () => {
  for (const say of ["SSH-2.0-OpenSSH_9.6\r\n", "\0\0\0\x08\x04\xd2\x16\x2f"])
    for (const port of [22, 80]) {
      const call = { address: HOSTILE, port, say: [Buffer.from(say, "latin1")] };
      const { heard } = await bed.attempt(call);
      assert.equal(told(heard), "reset", say);
    }
});

test("an app that speaks HTTP/2 without TLS is told to speak HTTP/1.1, and why", async () => {
  const say = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")];
  const { heard, record } = await bed.attempt({ address: HOSTILE, port: 80, say, enough: 10_000 });
  assert.equal(record.protocol, "http2");
  // SETTINGS, and a GOAWAY with HTTP_1_1_REQUIRED (RFC 9113 §6.5, §6.8, §7).
  const [settings, goAway] = [heard.text.slice(0, 9), heard.text.slice(9)];
  assert.equal(settings, "\0\0\0\x04\0\0\0\0\0");
  assert.equal(goAway.slice(3, 4), "\x07");
  assert.equal(goAway.slice(13, 17), "\0\0\0\x0d");
  assert.match(goAway, /was refused: /);
});

test("another namespace's rules permit nothing, and nothing tells of them", async () => {
  await bed.attempt({ address: REAL, port: 443, tls: "www.partner.net" });
  const records = JSON.stringify(bed.records);
  assert.match(records, /www\.partner\.net/);
  const pages = await Promise.all(
    ["/stats", "/connections", "/metrics"].map((path) => bed.sidecar.admin(path)),
  );
  for (const text of [records, bed.sidecar.log, ...pages]) assert.doesNotMatch(text, SECRET);
});
