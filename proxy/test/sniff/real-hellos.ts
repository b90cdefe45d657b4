import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:tls";
import { loopbackServer } from "../support/loopback-server.ts";

export interface RealHello {
  readonly from: string;
  readonly bytes: Buffer;
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
}

const VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;
const FLAGS = { TLSv1: "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3" };
const WEAK = "DEFAULT@SECLEVEL=0";
const NAME = "www.example.com";

/** What Node's client and `openssl s_client` say first, in each version of TLS, with and without a name. */
export async function realHellos(): Promise<RealHello[]> {
  const hellos: RealHello[] = [];
  for (const serverName of [NAME, undefined])
    for (const version of VERSIONS) {
      const alpn = serverName === undefined ? [] : ["h2", "http/1.1"];
      hellos.push({
        from: `node ${version} ${serverName ?? "without a name"}`,
        bytes: await nodeHello(version, serverName, alpn),
        serverName,
        alpn,
      });
      hellos.push({
        from: `openssl s_client ${version} ${serverName ?? "without a name"}`,
        bytes: await opensslHello(version, serverName, alpn),
        serverName,
        alpn,
      });
    }
  return hellos;
}

function nodeHello(version: (typeof VERSIONS)[number], servername = "", alpn: readonly string[]) {
  return firstRecord((port) => {
    const client = connect({
      host: "127.0.0.1",
      port,
      servername,
      minVersion: version,
      maxVersion: version,
      ciphers: WEAK,
      ALPNProtocols: [...alpn],
    });
    // It is reset once it has spoken; `once` would take the error for the end.
    client.on("error", () => {});
    return new Promise((closed) => client.once("close", closed));
  });
}

function opensslHello(
  version: (typeof VERSIONS)[number],
  servername: string | undefined,
  alpn: readonly string[],
) {
  return firstRecord((port) => {
    const client = spawn(
      "openssl",
      [
        ...["s_client", "-connect", `127.0.0.1:${port}`, FLAGS[version], "-cipher", WEAK],
        ...(servername === undefined ? ["-noservername"] : ["-servername", servername]),
        ...(alpn.length > 0 ? ["-alpn", alpn.join(",")] : []),
      ],
      { stdio: "ignore" },
    );
    return once(client, "close");
  });
}

/** The first TLS record of a client, which is then reset. */
async function firstRecord(client: (port: number) => Promise<unknown>): Promise<Buffer> {
  const record = Promise.withResolvers<Buffer>();
  const server = await loopbackServer((socket) => {
    let said = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      said = Buffer.concat([said, chunk]);
      if (said.length < 5 || said.length < 5 + said.readUInt16BE(3)) return;
      record.resolve(said);
      socket.resetAndDestroy();
    });
  });
  try {
    const [bytes] = await Promise.all([record.promise, client(server.port)]);
    return bytes;
  } finally {
    server.close();
  }
}
