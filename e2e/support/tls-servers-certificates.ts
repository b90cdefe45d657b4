import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM texts. */
export interface Shown {
  readonly certificate: string;
  readonly key: string;
}

export interface Chain {
  readonly root: string;
  readonly intermediate: string;
  /** Signed by the intermediate, whose certificate is not with it. */
  readonly leaf: Shown;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const AUTHORITY = "basicConstraints=critical,CA:TRUE";
const SERVER = "basicConstraints=critical,CA:FALSE";

interface Workshop {
  /** openssl at work among the files. */
  openssl(...args: readonly string[]): void;
  /** The text of a file. */
  read(name: string): string;
  write(name: string, text: string): void;
}

function inWorkshop<T>(work: (workshop: Workshop) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-certificates-"));
  try {
    return work({
      openssl: (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" }),
      read: (name) => readFileSync(join(folder, name), "utf8"),
      write: (name, text) => writeFileSync(join(folder, name), text),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A certificate for this name that has signed itself, and is no authority. */
export function selfSigned(name: string): Shown {
  return inWorkshop(({ openssl, read }) => {
    openssl(
      ...["req", "-x509", ...EC, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`],
      ...["-addext", SERVER, "-keyout", "key", "-out", "certificate"],
    );
    return { certificate: read("certificate"), key: read("key") };
  });
}

/** A root, an intermediate and a server's certificate for this name; the authorities are called after it. */
export function chainFor(name: string): Chain {
  return inWorkshop(({ openssl, read, write }) => {
    const sign = (what: string, by: string, subject: string, extensions: readonly string[]) => {
      write(`${what}.extensions`, extensions.join("\n"));
      openssl(
        ...["req", "-new", ...EC, "-subj", `/CN=${subject}`],
        ...["-keyout", `${what}.key`, "-out", `${what}.request`],
      );
      openssl(
        ...["x509", "-req", "-in", `${what}.request`, "-extfile", `${what}.extensions`],
        ...["-CA", by, "-CAkey", `${by}.key`, "-CAcreateserial", "-out", what],
      );
    };
    openssl(
      ...["req", "-x509", ...EC, "-subj", `/CN=root of ${name}`, "-addext", AUTHORITY],
      ...["-keyout", "root.key", "-out", "root"],
    );
    sign("intermediate", "root", `intermediate of ${name}`, [AUTHORITY]);
    sign("leaf", "intermediate", name, [SERVER, `subjectAltName=DNS:${name}`]);
    return {
      root: read("root"),
      intermediate: read("intermediate"),
      leaf: { certificate: read("leaf"), key: read("leaf.key") },
    };
  });
}
