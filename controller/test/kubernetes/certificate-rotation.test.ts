import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { issueOneShot, type OneShotCertificate } from "../../src/certificates.ts";
import {
  type CertificateContent,
  readContent,
  type SharedCertificate,
  trustedAuthorities,
  writeContent,
  writeSealKey,
} from "../../src/kubernetes/certificate-content.ts";
import {
  nextStep,
  ROTATION,
  type Situation,
  type Step,
  taken,
} from "../../src/kubernetes/certificate-rotation.ts";

const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const DAY = 86_400_000;
const LIFE = 90 * DAY;
const NAMES = ["sallyport", "sallyport.sallyport-system.svc", "*.example.com", "2001:db8::7"];
const issue = () => issueOneShot(NAMES, NOW, LIFE);
const [current, next, old, fresh] = await Promise.all([issue(), issue(), issue(), issue()]);
const sealKey = new Uint8Array(32).fill(7);

const usable = (shared: Partial<SharedCertificate> = {}): CertificateContent => ({
  kind: "usable",
  ...{ current, retired: [], sealKey, ...shared },
});
const at = (days: number, trustedForMs?: number, names: readonly string[] = NAMES): Situation => ({
  ...{ nowMs: NOW + days * DAY, trustedForMs, names },
});
const { settlingMs, overlapMs } = ROTATION;

for (const [what, content, situation, step] of [
  ["an empty Secret", { kind: "empty" }, at(0), "issue"],
  ["a broken Secret", { kind: "broken", why: "no key" }, at(0), "issue"],
  ["a young certificate", usable(), at(59, 0), "wait"],
  ["two thirds of its life over", usable(), at(60, 0), "stage"],
  ["expired", usable(), at(91, 0), "stage"],
  ["another name wanted", usable(), at(0, 0, [...NAMES, "b"]), "stage"],
  ["fewer names wanted", usable(), at(0, 0, ["sallyport"]), "wait"],
  ["a name written otherwise", usable(), at(0, 0, ["2001:DB8:0::7"]), "wait"],
  ["staged, not trusted yet", usable({ next }), at(60), "wait"],
  ["staged, trusted not long enough", usable({ next }), at(60, settlingMs - 1), "wait"],
  ["staged, settled", usable({ next }), at(60, settlingMs), "promote"],
  ["staged early, settled", usable({ next }), at(1, settlingMs), "promote"],
  ["staged, not trusted, and the current one expired", usable({ next }), at(91), "stage"],
  ["the next one is itself old", usable({ next }), at(61, settlingMs), "stage"],
  ["the next one lacks a name", usable({ next }), at(1, settlingMs, ["b"]), "stage"],
  ["promoted, not long ago", usable({ retired: [old.authority] }), at(1, overlapMs - 1), "wait"],
  ["promoted, long ago", usable({ retired: [old.authority] }), at(1, overlapMs), "retire"],
  ["promoted, nobody trusts it yet", usable({ retired: [old.authority] }), at(1), "wait"],
  ["due before the last one is retired", usable({ retired: ["x"] }), at(60, 0), "stage"],
] as const satisfies readonly (readonly [string, CertificateContent, Situation, Step["step"]])[])
  test(`${what}: ${step}`, () => {
    // The certificates of this test are all of one age; where it matters the next one is younger.
    const younger = content.kind === "usable" && content.next && situation.nowMs < NOW + 61 * DAY;
    const asked: CertificateContent = younger
      ? { ...content, next: { ...next, notAfter: new Date(NOW + 10 * LIFE) } }
      : content;
    assert.equal(nextStep(asked, situation).step, step);
  });

test("a current one that has expired is replaced at once by a next one that has not, whoever trusts it", () => {
  const living = { ...next, notAfter: new Date(NOW + 10 * LIFE) };
  assert.equal(nextStep(usable({ next: living }), at(91)).step, "promote");
});

test("a wait says for how long", () => {
  assert.deepEqual(nextStep(usable(), { ...at(0), nowMs: NOW + 59 * DAY }), {
    step: "wait",
    forMs: DAY - 100_000, // it was dated back by five minutes, and two thirds are counted from there
  });
  const retired = usable({ retired: [old.authority] });
  assert.deepEqual(nextStep(retired, at(1, 1_000)), { step: "wait", forMs: overlapMs - 1_000 });
});

test("from step to step, what is trusted covers what is served before and after", () => {
  const first: SharedCertificate = { current, retired: [], sealKey };
  const staged = taken("stage", first, fresh);
  const promoted = taken("promote", staged);
  const retired = taken("retire", promoted);
  const served = (shared: SharedCertificate) => shared.current;
  for (const [before, after] of [
    [first, staged],
    [staged, promoted],
    [promoted, retired],
  ] as const) {
    // A replica is late, or the API server is: by one step.
    assert.ok(trusts(after, served(after)));
    assert.ok(trusts(before, served(after)));
    if (after !== retired) assert.ok(trusts(after, served(before)));
  }
  assert.equal(retired.current, fresh);
  assert.ok(!trusts(retired, current));
});

test("a next one that is staged anew takes the place of one that nobody has served", () => {
  const staged = taken("stage", { current, next, retired: [old.authority], sealKey }, fresh);
  assert.deepEqual([staged.next, staged.retired], [fresh, [old.authority]]);
});

function trusts(shared: SharedCertificate, { certificate }: OneShotCertificate): boolean {
  const leaf = new X509Certificate(certificate);
  return trustedAuthorities(shared)
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .some((pem) => leaf.verify(new X509Certificate(pem).publicKey));
}

for (const shared of [
  { current, retired: [], sealKey },
  { current, next, retired: [], sealKey },
  { current, retired: [old.authority], sealKey },
  { current, next, retired: [old.authority, fresh.authority], sealKey },
] as const)
  test(`a Secret with ${shared.retired.length} retired${"next" in shared ? " and a next one" : ""} is read as it was written`, () => {
    const read = readContent(writeContent(shared));
    assert.ok(read.kind === "usable", JSON.stringify(read));
    assert.equal(trustedAuthorities(read), trustedAuthorities(shared));
    assert.deepEqual(writeContent(read), writeContent(shared));
    assert.deepEqual([...read.current.names].sort(), [...NAMES].sort());
    assert.equal(read.next?.certificate, "next" in shared ? next.certificate : undefined);
    assert.equal(read.retired.length, shared.retired.length);
  });

test("a key that is shared stays, with and without a certificate that can be served", () => {
  const data = writeContent({ current, retired: [], sealKey });
  for (const [found, kind] of [
    [writeSealKey(sealKey), "empty"],
    [{ ...data, "tls.key": "" }, "broken"],
    [data, "usable"],
  ] as const) {
    const read = readContent(found);
    assert.equal(read.kind, kind);
    assert.deepEqual(new Uint8Array(read.sealKey ?? []), sealKey);
  }
});

test("a Secret without any key of ours is empty; every other one that cannot be served says why", () => {
  const data = writeContent({ current, next, retired: [], sealKey });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const without = (key: string) =>
    Object.fromEntries(Object.entries(data).filter(([name]) => name !== key));
  for (const [found, why] of [
    [undefined, undefined],
    [{}, undefined],
    [{ other: base64("x") }, undefined],
    [without("tls.crt"), /^tls\.crt holds no certificate in PEM/],
    [without("tls.key"), /^tls\.key holds no private key in PEM/],
    [without("ca.crt"), /^ca\.crt does not hold the authority of tls\.crt/],
    [without("next.key"), /^next\.key holds no private key/],
    [without("seal.key"), /^seal\.key is not 32 bytes/],
    [{ ...data, "tls.key": data["next.key"] ?? "" }, /^tls\.key is not the key of tls\.crt/],
    [{ ...data, "ca.crt": base64(old.authority) }, /^ca\.crt does not hold the authority/],
    [
      { ...data, "ca.crt": base64("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----") },
      /./,
    ],
    [{ ...data, "seal.key": base64("short") }, /^seal\.key is not 32 bytes/],
  ] as const) {
    const read = readContent(found);
    assert.equal(read.kind, why ? "broken" : "empty");
    if (read.kind === "broken") assert.match(read.why, why ?? /^$/);
  }
});
