import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SecureVersion } from "node:tls";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** A server at one address and port, and how it behaves. */
export interface TlsServer {
  readonly address: string;
  /** 443 unless told. */
  readonly port?: number;
  /** `https` unless told: answers each request with what it has seen of it (`Visit`) as JSON. */
  readonly does?: "https" | "plain" | "ends" | "resets" | "silent";
  /** PEM texts: the certificate, or a chain of them, and its key. */
  readonly certificate?: string;
  readonly key?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly alpn?: readonly string[];
  /** PEM: it demands a certificate by this authority from whoever connects. */
  readonly clientAuthority?: string;
  /** It closes each connection behind its first response; that has no length where `unsized`, nor close_notify where `unsaid`. */
  readonly closes?: true | "unsized" | "unsaid";
}

/** A request that has arrived over TLS. */
export interface Visit {
  readonly at: string;
  readonly servername: string;
  readonly host: string;
  readonly target: string;
  readonly protocol: string;
  readonly alpn: string | false;
  readonly isResumed: boolean;
  /** Counts up from 1: the connection it came on. */
  readonly connection: number;
  /** Of its body. */
  readonly bytes: number;
  readonly sha256: string;
}

/** tls-servers-main.ts at work inside a namespace. */
export class TlsServers {
  readonly visits: Visit[] = [];

  private constructor() {}

  static start(namespace: NetworkNamespace, servers: readonly TlsServer[]): Promise<TlsServers> {
    const main = join(import.meta.dirname, "tls-servers-main.ts");
    const child = namespace.spawn([process.execPath, main], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin?.end(JSON.stringify(servers));
    const started = new TlsServers();
    return new Promise((resolve, reject) => {
      child.once("exit", () => reject(new Error("the TLS servers have ended")));
      if (child.stdout)
        createInterface(child.stdout).on("line", (line) => {
          if (line === "ready") resolve(started);
          else started.visits.push(JSON.parse(line));
        });
    });
  }

  /** The requests that named this host. */
  visitsTo(host: string): readonly Visit[] {
    return this.visits.filter((visit) => visit.host.replace(/:\d+$/, "") === host);
  }
}
