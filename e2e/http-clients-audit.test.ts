import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createAuthority } from "@sallyport/controller/certificates";
import { Bed } from "./clients/bed.ts";
import { CURL, curl } from "./clients/http-curl.ts";
import { Origin, valuesOf } from "./clients/http-origin.ts";
import { lacking } from "./clients/programs.ts";
import { TlsServers } from "./support/tls-servers.ts";

/** Audit mode watches HTTP and changes nothing of it; TLS it speaks all the same, where a rule says that the app does not. */
const WEB = "93.184.216.10";
const now = Date.now();
const authority = await createAuthority(now);
const shown = await authority.issue(["*.example.com"], now);
const folder = mkdtempSync(join(tmpdir(), "sallyport-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);
const bundle = join(folder, "bundle.pem");
writeFileSync(bundle, authority.certificate, { mode: 0o644 });

const bed = await Bed.open(
  { after },
  {
    rules: {
      web: [
        {
          hosts: ["*.example.com"],
          ports: [
            { port: 80, protocol: "http" },
            { port: 443, protocol: "https" },
          ],
        },
      ],
    },
    policy: { mode: "audit" },
    zone: { "*.example.com": { A: [WEB] }, "www.partner.net": { A: [WEB] } },
    settings: { upstreamTls: { caFiles: [bundle] } },
  },
);
const origin = await Origin.start(bed);
await TlsServers.start(bed.world, [{ ...shown, address: WEB }]);

describe("in audit mode", { skip: lacking("curl") }, () => {
  test("what no rule permits is served, and recorded as enforce mode would have it", async () => {
    const name = "www.partner.net";
    assert.equal((await curl(bed, `http://${name}/path`)).status, 200);
    const [record] = await bed.recordsOf(name);
    assert.deepEqual(
      [record?.reason, record?.would_be, record?.method, record?.path],
      ["allowed.audit", "denied.no_rule", "GET", "/path"],
    );
  });

  test("requests go on byte by byte: an offer that enforce mode takes out stays in", async () => {
    const name = "watched.example.com";
    const url = `http://${name}/`;
    const { status } = await bed.run([
      ...[...CURL, "--output", "/dev/null", "--http2", url, "--next", ...CURL.slice(1), url],
    ]);
    assert.equal(status, 0);
    const [arrived] = origin.arrivedAt(name);
    assert.ok(arrived);
    assert.deepEqual(valuesOf(arrived, "upgrade"), ["h2c"]);
    const [record] = await bed.recordsOf(name);
    assert.deepEqual([record?.reason, record?.request], ["allowed.rule", undefined]);
  });

  test("TLS is spoken for the app where a rule says https", async () => {
    const name = "tls.example.com";
    const { status, body } = await curl(bed, `http://${name}:443/`);
    assert.equal(status, 200, body);
    assert.equal(JSON.parse(body).servername, name);
    const [record] = await bed.recordsOf(name);
    assert.deepEqual([record?.reason, record?.originated], ["allowed.rule", true]);
  });

  test("and not where none does: what the app says reaches a server that wants TLS as it is", async () => {
    const { exit } = await curl(bed, "http://www.partner.net:443/");
    // CURLE_GOT_NOTHING or CURLE_RECV_ERROR: Node's TLS server hangs up.
    assert.ok(exit === 52 || exit === 56, String(exit));
    const [record] = await bed.recordsWhere(
      ({ name, original_port }) => name === "www.partner.net" && original_port === 443,
    );
    assert.deepEqual(
      [record?.reason, record?.would_be, record?.originated],
      ["allowed.audit", "denied.no_rule", undefined],
    );
  });
});
