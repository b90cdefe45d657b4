import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createAuthority } from "@sallyport/controller/certificates";
import { Bed } from "./clients/bed.ts";
import { type Answer, curl } from "./clients/http-curl.ts";
import { lacking } from "./clients/programs.ts";
import { type TlsServer, TlsServers } from "./support/tls-servers.ts";
import { chainFor, selfSigned } from "./support/tls-servers-certificates.ts";

/** The app speaks HTTP, the sidecar TLS for it: verified always, and what does not stand up is told by its name. */
const DAY_MS = 86_400_000;
const now = Date.now();
const [authority, old, unknown] = await Promise.all([
  createAuthority(now),
  createAuthority(now - 800 * DAY_MS),
  createAuthority(now),
]);
const [valid, expired, early, strange, client] = await Promise.all([
  authority.issue(["*.example.com"], now),
  old.issue(["*.example.com"], now - 400 * DAY_MS),
  authority.issue(["*.example.com"], now + 30 * DAY_MS),
  unknown.issue(["*.example.com"], now),
  createAuthority(now),
]);
const chain = chainFor("chain.example.com");

const folder = mkdtempSync(join(tmpdir(), "sallyport-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);
const bundle = join(folder, "bundle.pem");
writeFileSync(bundle, [authority.certificate, old.certificate, chain.root].join("\n"), {
  mode: 0o644,
});

interface Row {
  readonly server: Omit<TlsServer, "address">;
  readonly expected:
    | { readonly protocol: string; readonly alpn?: string | false }
    | {
        readonly reason: string;
        readonly error: RegExp;
        readonly says: RegExp;
        readonly status?: number;
      };
}

const good = { certificate: valid.certificate, key: valid.key };
const whole = `${chain.leaf.certificate}\n${chain.intermediate}`;

/** By the first label of the name. */
const ROWS: Readonly<Record<string, Row>> = {
  valid: { server: good, expected: { protocol: "TLSv1.3", alpn: "http/1.1" } },
  "tls-1-2": { server: { ...good, maxVersion: "TLSv1.2" }, expected: { protocol: "TLSv1.2" } },
  "tls-1-1": {
    server: { ...good, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" },
    expected: { reason: "failed.tls", error: /PROTOCOL|VERSION/, says: /TLS 1\.2 or newer/ },
  },
  "tls-1-0": {
    server: { ...good, minVersion: "TLSv1", maxVersion: "TLSv1" },
    expected: { reason: "failed.tls", error: /PROTOCOL|VERSION/, says: /TLS 1\.2 or newer/ },
  },
  chain: {
    server: { certificate: whole, key: chain.leaf.key },
    expected: { protocol: "TLSv1.3" },
  },
  "chain.incomplete": {
    server: chain.leaf,
    expected: {
      reason: "failed.tls_verify",
      error: /^UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)$/,
      says: /its issuer is not trusted, or the chain is incomplete.*intermediate of chain\.example\.com/s,
    },
  },
  expired: {
    server: expired,
    expected: {
      reason: "failed.tls_verify",
      error: /^CERT_HAS_EXPIRED$/,
      says: /expired.example.com.*expired.*valid until.*Sallyport webhook CA/s,
    },
  },
  early: {
    server: early,
    expected: {
      reason: "failed.tls_verify",
      error: /^CERT_NOT_YET_VALID$/,
      says: /early\.example\.com.*not valid yet.*Sallyport webhook CA/s,
    },
  },
  "self-signed": {
    server: selfSigned("self-signed.example.com"),
    expected: {
      reason: "failed.tls_verify",
      error: /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
      says: /signed by itself.*"self-signed\.example\.com"/s,
    },
  },
  "wrong.name": {
    server: good,
    expected: {
      reason: "failed.tls_verify",
      error: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
      says: /wrong\.name\.example\.com.*the certificate is for \*\.example\.com.*Sallyport webhook CA/s,
    },
  },
  "unknown-root": {
    server: strange,
    expected: {
      reason: "failed.tls_verify",
      error: /^UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)$/,
      says: /unknown-root\.example\.com.*its issuer is not trusted.*Sallyport webhook CA/s,
    },
  },
  "unknown-chain": {
    server: { ...strange, certificate: `${strange.certificate}\n${unknown.certificate}` },
    expected: {
      reason: "failed.tls_verify",
      error: /^SELF_SIGNED_CERT_IN_CHAIN$/,
      says: /ends in a root that is not trusted/,
    },
  },
  "client-1-3": {
    server: { ...good, clientAuthority: client.certificate },
    expected: { reason: "failed.tls", error: /CERTIFICATE_REQUIRED/, says: /client certificate/ },
  },
  "client-1-2": {
    server: { ...good, clientAuthority: client.certificate, maxVersion: "TLSv1.2" },
    expected: { reason: "failed.tls", error: /HANDSHAKE_FAILURE/, says: /client certificate/ },
  },
  "h2-only": {
    server: { ...good, alpn: ["h2"] },
    expected: {
      reason: "failed.tls",
      error: /NO_APPLICATION_PROTOCOL/,
      says: /no HTTP\/1\.1 over TLS/,
    },
  },
  "no-tls": {
    server: { does: "plain" },
    expected: {
      reason: "failed.tls",
      error: /WRONG_VERSION_NUMBER|PACKET_LENGTH/,
      says: /does not speak TLS on this port/,
    },
  },
  ends: {
    server: { does: "ends" },
    expected: {
      reason: "failed.tls",
      error: /ENDED|ECONNRESET/,
      says: /closed the connection during the TLS handshake/,
    },
  },
  resets: {
    server: { does: "resets" },
    expected: {
      reason: "failed.tls",
      error: /ECONNRESET/,
      says: /closed the connection during the TLS handshake/,
    },
  },
  silent: {
    server: { does: "silent" },
    expected: {
      reason: "failed.connect_timeout",
      error: /ETIMEDOUT/,
      says: /handshake/,
      status: 504,
    },
  },
};

const rows = Object.entries(ROWS).map(([label, row], i) => ({
  ...row,
  label,
  name: `${label}.example.com`,
  address: `93.184.217.${i + 1}`,
}));

const bed = await Bed.open(
  { after },
  {
    rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "https" }] }] },
    zone: Object.fromEntries(rows.map(({ name, address }) => [name, { A: [address] }])),
    settings: { upstreamTls: { caFiles: [bundle], handshakeTimeoutMs: 1_000 } },
  },
);
const servers = await TlsServers.start(
  bed.world,
  rows.map(({ address, server }) => ({ ...server, address })),
);

function failureIn(answer: Answer): { readonly reason: string; readonly message: string } {
  assert.equal(answer.headers.get("content-type"), "application/json");
  return JSON.parse(answer.body);
}

describe("a server over TLS", { skip: lacking("curl") }, () => {
  for (const { label, name, address, expected } of rows)
    test(
      "reason" in expected
        ? `${label}: it ${expected.reason === "failed.tls_verify" ? "is not trusted" : "fails"}, and the answer says why`
        : `${label}: it answers, over ${expected.protocol}`,
      async () => {
        const answer = await curl(bed, `http://${name}:443/path?query`);
        const [record] = await bed.recordsOf(name);
        assert.ok(record);
        assert.deepEqual(
          [record.method, record.path, record.status, record.originated, record.protocol],
          ["GET", "/path", answer.status, true, "http"],
        );
        assert.deepEqual([record.dialled_address, record.dialled_port], [address, 443]);
        const visits = servers.visitsTo(name);
        if (!("reason" in expected)) {
          assert.deepEqual([answer.exit, answer.status], [0, 200], answer.body);
          assert.equal(visits[0]?.servername, name);
          assert.equal(visits[0]?.protocol, expected.protocol);
          if (expected.alpn) assert.equal(visits[0]?.alpn, expected.alpn);
          assert.deepEqual([record.reason, record.closed_how], ["allowed.rule", "end"]);
          assert.ok((record.connect_ms ?? 0) > 0);
          return;
        }
        assert.equal(answer.status, expected.status ?? 502, answer.body);
        assert.equal(answer.headers.get("x-sallyport-reason"), expected.reason);
        assert.match(answer.body, expected.says);
        assert.deepEqual([record.reason, record.closed_how], [expected.reason, "failed"]);
        assert.match(record.error ?? "", expected.error);
        assert.deepEqual(visits, [], "nothing of the request has arrived");
        const json = await curl(bed, "--header", "Accept: application/json", `http://${name}:443/`);
        const { reason, message } = failureIn(json);
        assert.equal(reason, expected.reason);
        assert.match(message, expected.says);
      },
    );
});
