import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { certificateFromFiles, madeCertificate } from "../src/certificate-source.ts";
import { createAuthority, serviceNames } from "../src/certificates.ts";
import type { Log } from "../src/log.ts";
import { NAMES, startBed } from "./server-bed.ts";

const NOW = Date.now();
const DAY = 86_400_000;
const authority = await createAuthority(NOW);
const EXTRA = ["hooks.example.com", "192.0.2.7", "2001:db8::7"];
const serving = await authority.issue([...NAMES, ...EXTRA], NOW);

function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "sallyport-certificates-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const hasOpenssl = (() => {
  try {
    openssl("version");
    return true;
  } catch {
    return false;
  }
})();

test("a Service is called by these names", () => {
  assert.deepEqual(serviceNames("hook", "sys", "corp.local"), [
    ...["hook", "hook.sys", "hook.sys.svc", "hook.sys.svc.corp.local"],
  ]);
});

test("openssl verifies the certificate for every name, strictly, and for no other", {
  skip: !hasOpenssl && "needs openssl",
}, () => {
  using at = folder();
  const [ca, leaf] = [join(at.path, "ca.crt"), join(at.path, "tls.crt")];
  writeFileSync(ca, authority.certificate);
  writeFileSync(leaf, serving.certificate);
  const verify = (...options: string[]) =>
    openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca, ...options, leaf);
  for (const name of [...NAMES, "hooks.example.com"])
    assert.match(verify("-verify_hostname", name), /: OK/);
  for (const ip of ["192.0.2.7", "2001:db8:0::7"]) assert.match(verify("-verify_ip", ip), /: OK/);
  assert.throws(() => verify("-verify_hostname", "evil.sallyport-system.svc"), /hostname mismatch/);
  assert.throws(() => verify("-attime", String(Math.floor(NOW / 1000) - 600)), /not yet valid/);
  assert.throws(() => verify("-attime", String(Math.floor(NOW / 1000) + 366 * 86_400)), /expired/);
});

test("the certificates say what a strict reader asks for", () => {
  const [ca, leaf] = [
    new X509Certificate(authority.certificate),
    new X509Certificate(serving.certificate),
  ];
  assert.ok(ca.ca && !leaf.ca && leaf.verify(ca.publicKey) && ca.verify(ca.publicKey));
  assert.ok(leaf.checkIssued(ca));
  assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.equal(leaf.validFromDate.getTime(), Math.floor((NOW - 300_000) / 1000) * 1000);
  assert.equal(Math.round((leaf.validToDate.getTime() - NOW) / DAY), 365);
  assert.equal(Math.round((ca.validToDate.getTime() - NOW) / DAY), 3_650);
});

test("serial numbers are positive, of 128 bits, and never the same", async () => {
  const issued = await Promise.all(
    [authority, authority, authority].map((by) => by.issue(["a"], NOW)),
  );
  const serials = [
    authority.certificate,
    serving.certificate,
    ...issued.map((c) => c.certificate),
  ].map((pem) => new X509Certificate(pem).serialNumber);
  assert.equal(new Set(serials).size, serials.length);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
});

test("a certificate does not outlive its authority", async () => {
  const late = await authority.issue(["a"], NOW + 3_600 * DAY);
  const end = new X509Certificate(late.certificate).validToDate;
  assert.deepEqual(end, new X509Certificate(authority.certificate).validToDate);
});

test("a TLS client that trusts the CA reaches the Service's names, and no others", async () => {
  await using bed = await startBed();
  const reach = (servername: string, maxVersion?: "TLSv1.1" | "TLSv1.2") =>
    new Promise<string>((resolve) => {
      const socket = connect({
        ...{ host: "127.0.0.1", port: bed.controller.port, servername },
        ...(bed.controller.ca !== undefined && { ca: bed.controller.ca }),
        ...(maxVersion && { maxVersion, minVersion: maxVersion, ciphers: "DEFAULT@SECLEVEL=0" }),
      });
      const done = (said: string) => {
        socket.destroy();
        resolve(said);
      };
      socket.once("secureConnect", () => done(socket.getProtocol() ?? ""));
      socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
  for (const name of NAMES) assert.equal(await reach(name), "TLSv1.3");
  assert.equal(await reach("sallyport.other.svc"), "ERR_TLS_CERT_ALTNAME_INVALID");
  assert.equal(await reach("sallyport", "TLSv1.2"), "TLSv1.2");
  assert.match(await reach("sallyport", "TLSv1.1"), /PROTOCOL|ECONNRESET/);
});

test("a certificate made here is renewed when two thirds of its life are over", async () => {
  const source = await madeCertificate(NAMES, NOW);
  const first = source.current;
  assert.equal(await source.refresh(NOW + 243 * DAY), false);
  assert.equal(source.current, first);
  assert.equal(await source.refresh(NOW + 244 * DAY), true);
  assert.notEqual(source.current.certificate, first.certificate);
  assert.ok(
    new X509Certificate(source.current.certificate).checkIssued(
      new X509Certificate(source.ca ?? ""),
    ),
  );
  assert.equal(await source.refresh(NOW + 244 * DAY), false);
});

test("files are read again when their content changes; a half or mismatched pair changes nothing", async () => {
  using at = folder();
  const files = { certFile: join(at.path, "tls.crt"), keyFile: join(at.path, "tls.key") };
  const lines: string[] = [];
  const log: Log = (level, message) => lines.push(`${level} ${message}`);
  const renewed = await authority.issue(NAMES, NOW);
  const write = (file: string, content: string) => {
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  };
  write(files.certFile, serving.certificate + authority.certificate);
  write(files.keyFile, serving.key);
  const source = await certificateFromFiles(files, log);
  assert.equal(source.ca, undefined);
  assert.equal(
    source.current.notAfter.getTime(),
    Math.floor(serving.notAfter.getTime() / 1000) * 1000,
  );
  const first = source.current;

  const steps: readonly (readonly [() => void, RegExp | undefined])[] = [
    [() => write(files.certFile, first.certificate), undefined],
    [() => write(files.certFile, renewed.certificate), /tls\.key is not the key of .*tls\.crt/],
    [() => write(files.certFile, renewed.certificate.slice(0, 300)), /no certificate in PEM/],
    [() => write(files.keyFile, ""), /no certificate in PEM/],
    [() => rmSync(files.keyFile), /cannot read the serving certificate: ENOENT/],
  ];
  for (const [change, said] of steps) {
    lines.length = 0;
    change();
    for (let look = 0; look < 3; look++) assert.equal(await source.refresh(NOW), false);
    assert.equal(source.current, first);
    assert.equal(lines.length, said ? 1 : 0, `told once: ${lines}`);
    if (said) assert.match(lines[0] ?? "", said);
  }
  write(files.certFile, renewed.certificate);
  write(files.keyFile, renewed.key);
  assert.equal(await source.refresh(NOW), true);
  assert.equal(source.current.certificate, renewed.certificate);
  assert.equal(await source.refresh(NOW), false);
});

test("files that cannot be served at the start are an error that says which", async () => {
  using at = folder();
  const files = { certFile: join(at.path, "tls.crt"), keyFile: join(at.path, "tls.key") };
  const start = () => certificateFromFiles(files, () => {});
  await assert.rejects(start, /cannot read the serving certificate: ENOENT/);
  writeFileSync(files.certFile, serving.certificate);
  writeFileSync(files.keyFile, (await authority.issue(["a"], NOW)).key);
  await assert.rejects(start, /tls\.key is not the key of/);
});
