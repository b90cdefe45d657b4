import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Bed } from "./clients/bed.ts";
import { type Answer, curl } from "./clients/http-curl.ts";
import type { NodeAnswer, NodeRequest } from "./clients/http-node.ts";
import { Origin } from "./clients/http-origin.ts";
import { lacking } from "./clients/programs.ts";
import { type TlsServer, TlsServers } from "./support/tls-servers.ts";
import { selfSigned } from "./support/tls-servers-certificates.ts";

/** What an app is told when its request comes to nothing: which hop failed and how, to people and to programs. */
const WEB = "93.184.216.10";
const DARK = "93.184.216.66";
const GONE = "93.184.216.77";
const bed = await Bed.open(
  { after },
  {
    rules: {
      web: [
        {
          hosts: ["*.example.com"],
          ports: [
            { port: 80, endPort: 81, protocol: "http" },
            { port: 443, protocol: "https" },
          ],
        },
      ],
    },
    zone: {
      "*.example.com": { A: [WEB] },
      "dark.example.com": { A: [DARK] },
      "gone.example.com": { A: [GONE] },
      "unanswered.example.com": { code: "SERVFAIL" },
      "empty.example.com": {},
    },
    settings: { limits: { connectTimeoutMs: 1_000 }, http: { exchangeTimeoutMs: 1_000 } },
  },
);
await bed.world.run("iptables", "-A", "INPUT", "-d", DARK, "-j", "DROP");
await bed.world.run(
  ...["iptables", "-A", "INPUT", "-d", GONE],
  ...["-j", "REJECT", "--reject-with", "icmp-host-unreachable"],
);
const origin = await Origin.start(bed);
const tls: TlsServer = { address: WEB, ...selfSigned("tls.example.com") };
await TlsServers.start(bed.world, [tls]);

interface Explained {
  readonly reason: string;
  readonly message: string;
  readonly destination: string;
  readonly name?: string;
  readonly advice?: string;
  readonly egress_rule?: unknown;
}

/** `/raw` of the origin: what it says, byte by byte, and what becomes of the connection. */
const raw = (say: string, then: string) => `/raw?say=${encodeURIComponent(say)}&then=${then}`;

interface Row {
  readonly what: string;
  readonly label: string;
  readonly port?: number;
  readonly path?: string;
  readonly status: number;
  readonly reason: string;
  readonly says: RegExp;
  /** The record's word for it. */
  readonly error?: string;
}

const ROWS: readonly Row[] = [
  {
    ...{ what: "nothing listens there", label: "closed", port: 81 },
    ...{ status: 502, reason: "failed.connect_refused", error: "ECONNREFUSED" },
    says: /closed\.example\.com at 93\.184\.216\.10:81 .*nothing listens/,
  },
  {
    ...{ what: "there is no way to it", label: "gone" },
    ...{ status: 502, reason: "failed.unreachable", error: "EHOSTUNREACH" },
    says: /gone\.example\.com at 93\.184\.216\.77:80 .*no route/,
  },
  {
    ...{ what: "it does not answer when it is called", label: "dark" },
    ...{ status: 504, reason: "failed.connect_timeout", error: "ETIMEDOUT" },
    says: /dark\.example\.com at 93\.184\.216\.66:80 .*did not answer within/,
  },
  {
    ...{ what: "its name has no address", label: "empty" },
    ...{ status: 502, reason: "failed.dns" },
    says: /empty\.example\.com .*could not be resolved/,
  },
  {
    ...{ what: "the resolver does not know an answer", label: "unanswered" },
    ...{ status: 502, reason: "failed.dns" },
    says: /unanswered\.example\.com .*could not be resolved/,
  },
  {
    ...{ what: "its certificate is nobody's", label: "tls", port: 443 },
    ...{ status: 502, reason: "failed.tls_verify", error: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    says: /certificate .*tls\.example\.com.*signed by itself/,
  },
  {
    ...{ what: "it resets the connection instead of answering", label: "reset" },
    ...{ path: raw("", "reset"), status: 502, reason: "failed.reset", error: "ECONNRESET" },
    says: /reset\.example\.com .*without a response/,
  },
  {
    ...{ what: "it ends the connection instead of answering", label: "ended" },
    ...{ path: raw("", "end"), status: 502, reason: "failed.response" },
    says: /ended\.example\.com .*without a response/,
  },
  {
    ...{ what: "it ends the connection in the middle of a head", label: "half" },
    ...{ path: raw("HTTP/1.1 200 OK\r\ncontent-le", "end") },
    ...{ status: 502, reason: "failed.response" },
    says: /half\.example\.com .*in the middle of its response/,
  },
  {
    ...{ what: "it takes the request and says nothing", label: "silent" },
    ...{ path: raw("", "stay"), status: 504, reason: "failed.response_timeout" },
    says: /silent\.example\.com .*said nothing for 1000 ms/,
  },
  {
    ...{ what: "its response has two lengths", label: "two-lengths" },
    path: raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "stay"),
    ...{ status: 502, reason: "failed.response" },
    says: /response cannot be read: .*[Cc]ontent-[Ll]ength/,
  },
  {
    ...{ what: "its response is no HTTP", label: "no-http" },
    path: raw("SSH-2.0-OpenSSH_9.6\r\n\r\n", "stay"),
    ...{ status: 502, reason: "failed.response" },
    says: /response cannot be read/,
  },
];

function explainedIn({ headers, body }: Answer): Explained {
  assert.equal(headers.get("content-type"), "application/json");
  return JSON.parse(body);
}

describe("a permitted request that fails is answered with what failed:", {
  skip: lacking("curl"),
}, () => {
  for (const { what, label, port = 80, path = "/", status, reason, says, error } of ROWS)
    test(what, async () => {
      const name = `${label}.example.com`;
      const dials = ["--resolve", `${name}:${port}:${WEB}`];
      const at = reason === "failed.dns" ? dials : [];
      const url = `http://${name}:${port}${path}`;
      const text = await curl(bed, ...at, url);
      assert.deepEqual([text.exit, text.status], [0, status], text.stderr || text.body);
      assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(text.headers.get("x-sallyport-reason"), reason);
      assert.equal(text.headers.get("connection"), "close");
      assert.ok(text.body.startsWith(`sallyport: ${reason}\n`), text.body);
      assert.match(text.body, says);
      assert.match(text.body, /^what to do: /m);

      const json = await curl(bed, ...at, "--header", "Accept: application/json", url);
      const explained = explainedIn(json);
      assert.deepEqual([json.status, explained.reason, explained.name], [status, reason, name]);
      assert.match(explained.message, says);
      assert.equal(explained.egress_rule, undefined, "no rule helps there");

      const records = await bed.recordsOf(name, 2);
      assert.equal(records.length, 2);
      for (const record of records) {
        assert.deepEqual(
          [record.method, record.path, record.status, record.reason],
          ["GET", path.split("?")[0], status, reason],
        );
        if (error !== undefined) assert.equal(record.error, error);
      }
    });
});

describe("a refused request is answered with why, and with the rule that would permit it:", {
  skip: lacking("curl"),
}, () => {
  const at = ["--resolve", `www.partner.net:80:${WEB}`];
  const url = "http://www.partner.net/path?secret=1";

  test("in text to a terminal and to a browser", async () => {
    const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (const accept of [[], ["--header", browser]]) {
      const { status, headers, body } = await curl(bed, ...at, ...accept, url);
      assert.deepEqual([status, headers.get("content-type")], [403, "text/plain; charset=utf-8"]);
      assert.match(body, /^sallyport: denied\.no_rule\n/);
      assert.match(body, /^apiVersion: sallyport\.dev\/v1alpha1$/m);
      assert.match(body, /www\.partner\.net/);
      assert.doesNotMatch(body, /secret/);
    }
  });

  test("in JSON to whoever asks for that", async () => {
    const answer = await curl(bed, ...at, "--header", "Accept: application/json", url);
    const { reason, destination, egress_rule } = explainedIn(answer);
    assert.deepEqual([answer.status, reason, destination], [403, "denied.no_rule", `${WEB}:80`]);
    assert.ok(egress_rule);
  });

  test("to HEAD without a body", async () => {
    const { status, headers, body, exit } = await curl(bed, ...at, "--head", url);
    assert.deepEqual([exit, status, body], [0, 403, ""]);
    assert.equal(headers.get("x-sallyport-reason"), "denied.no_rule");
  });

  test("while its body is still being sent", async () => {
    const upload = ["--header", "Expect:", "--data-binary", `@${process.execPath}`];
    const { status, headers } = await curl(bed, ...at, ...upload, url);
    assert.deepEqual([status, headers.get("x-sallyport-reason")], [403, "denied.no_rule"]);
  });
});

for (const [what, status, reason, ...args] of [
  ["a target of 20 KB", 414, "denied.too_large", `http://long.example.com/${"a".repeat(20_000)}`],
  [
    ...(["300 fields", 431, "denied.too_large"] as const),
    ...Array.from({ length: 300 }, (_, i) => ["--header", `x-${i}: 1`]).flat(),
    "http://many.example.com/",
  ],
  [
    ...(["a field of 100 KB", 431, "denied.too_large"] as const),
    ...["--header", `x: ${"a".repeat(100_000)}`, "http://large.example.com/"],
  ],
  [
    ...(["two lengths", 400, "denied.malformed"] as const),
    ...["--header", "Content-Length: 1", "--header", "content-length: 2", "-X", "POST"],
    "http://lengths.example.com/",
  ],
] as const)
  test(`${what}: ${status}, and nothing of it arrives`, { skip: lacking("curl") }, async () => {
    const answer = await curl(bed, ...args);
    assert.deepEqual([answer.status, answer.headers.get("x-sallyport-reason")], [status, reason]);
    const { hostname } = new URL(args.at(-1) ?? "");
    assert.equal(origin.arrivedAt(hostname).length, 0);
  });

describe("a destination that ends the connection instead of answering", () => {
  const path = raw("", "end");
  const main = join(import.meta.dirname, "clients/http-node.ts");
  for (const [what, before, method, times] of [
    [
      "on a connection that had served: a GET is asked once more, and no third time",
      true,
      "GET",
      2,
    ],
    ["on a new connection: a GET is not asked again", false, "GET", 1],
    [
      "on a connection that had served: a POST is not, for it may have done something",
      true,
      "POST",
      1,
    ],
  ] as const)
    test(what, async () => {
      const name = `${method}-${before}.example.com`.toLowerCase();
      const url = `http://${name}`;
      const requests: readonly NodeRequest[] = [
        ...(before ? [{ url: `${url}/` }] : []),
        { url: `${url}${path}`, method, ...(method === "POST" && { body: "x" }) },
      ];
      const { stdout } = await bed.run([process.execPath, main, JSON.stringify(requests)]);
      const last: NodeAnswer = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
      assert.equal(last.status, 502);
      const arrived = origin.arrivedAt(name).filter(({ target }) => target === path);
      assert.equal(arrived.length, times);
      assert.equal(new Set(arrived.map(({ connection }) => connection)).size, times);
      const [record] = (await bed.recordsOf(name, requests.length)).slice(-1);
      assert.equal(record?.retried, times === 2 || undefined);
      const records = await bed.recordsOf(name, requests.length);
      assert.equal(
        records.filter((record) => record.path === "/raw").length,
        1,
        "it is one request",
      );
    });
});
