import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bed, CORES } from "../data-path/bed.ts";
import { peerFile } from "../data-path/peer-file.ts";
import { nginxCommand } from "../data-path/peers.ts";
import { isListening } from "../data-path/running.ts";
import { HOST, PORTS } from "./names.ts";

/** As in bench/load/http/http.h. */
const LETTERS = "abcdefghijklmnop";
const SMALL_BYTES = 100;
const LARGE_BYTES = 1 << 20;
const WITHIN_MS = 5_000;

/** In PEM, of one certificate for HOST and of the authority that signed it. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Keys on P-256, as most public sites have; valid for a day. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name);
  const make = (name: string, ...args: readonly string[]) =>
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-keyout", file(`${name}.key`), "-out", file(`${name}.pem`), "-days", "1", ...args],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
  make("ca", "-subj", "/CN=Sallyport bench");
  make(
    ...([
      "origin",
      "-subj",
      `/CN=${HOST}`,
      "-CA",
      file("ca.pem"),
      "-CAkey",
      file("ca.key"),
    ] as const),
    ...["-addext", `subjectAltName=DNS:${HOST}`, "-addext", "basicConstraints=critical,CA:FALSE"],
  );
  return { ca: file("ca.pem"), certificate: file("origin.pem"), key: file("origin.key") };
}

/** nginx at the far end, speaking TLS 1.3 and giving the answers of the plain origin; it ends with the bed. */
export async function startTlsOrigin(
  { far }: Bed,
  parent: string,
  { certificate, key }: Certificates,
): Promise<void> {
  const folder = join(parent, "tls-origin");
  mkdirSync(folder, { recursive: true });
  const body = LETTERS.repeat(LARGE_BYTES / LETTERS.length);
  writeFileSync(join(folder, "large"), body);
  const configuration = peerFile(
    "http/tls-origin.conf",
    { port: PORTS.https, destination: "", folder },
    { HOST, SMALL: body.slice(0, SMALL_BYTES), CERTIFICATE: certificate, KEY: key },
  );
  const { argv } = nginxCommand(folder, configuration);
  const child = far.spawn(["taskset", "-c", String(CORES.ends), ...argv], { stdio: "inherit" });
  const startedMs = performance.now();
  while (!isListening(far.pid, PORTS.https)) {
    if (child.exitCode !== null || performance.now() - startedMs > WITHIN_MS)
      throw new Error("the far end of the TLS measurements does not listen");
    await sleep(5);
  }
}
