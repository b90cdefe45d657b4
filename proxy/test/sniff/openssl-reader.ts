import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";

/** What OpenSSL makes of first bytes. */
export interface Reading {
  /** As it read it, whether or not it went on; undefined where it read none. */
  readonly serverName: string | undefined;
  /** It answered with its own part of the handshake. Otherwise it refused, or waits for more. */
  readonly wentOn: boolean;
}

/**
 * The OpenSSL inside Node as a TLS server, fed from memory: no socket, no clock. It reads the name in its callback for
 * that (SSL_CTX_set_tlsext_servername_callback), which Node shows as `TLSSocket.servername`; it runs once all extensions
 * have been parsed and before versions, ciphers and keys are agreed, so most of what is refused for those reasons has
 * been read before. What it does not tell is which name it would have read in a hello that it refuses earlier, for an
 * extension of no concern to us, say: fuzz.ts then asks about the same names in an otherwise sound hello.
 */
export class OpensslReader {
  readonly #context: SecureContext;

  constructor() {
    const { key, cert } = selfSigned();
    this.#context = createSecureContext({
      key,
      cert,
      minVersion: "TLSv1",
      ciphers: "ALL:@SECLEVEL=0",
    });
  }

  async read(bytes: Buffer): Promise<Reading> {
    let wentOn = false;
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        wentOn ||= chunk[0] === HANDSHAKE;
        done();
      },
    });
    const server = new TLSSocket(wire, {
      isServer: true,
      secureContext: this.#context,
      SNICallback: (_name, done) => done(null),
    });
    server.on("error", () => {});
    wire.push(bytes);
    // Two turns: one in which the stream is read, one in which the answer is written.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    const { servername } = server as { readonly servername?: string | false | null };
    server.destroy();
    return { serverName: typeof servername === "string" ? servername : undefined, wentOn };
  }
}

const HANDSHAKE = 22;

function selfSigned(): { readonly key: Buffer; readonly cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-openssl-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=fuzz"],
      ...["-keyout", key, "-out", cert],
    ]);
    if (made.status !== 0) throw new Error(`openssl req: ${made.stderr}`);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
